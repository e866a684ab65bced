//! The product service: what the shop sells, what it costs, and how many there are.
//!
//! Here live the catalogue, its stock, and the promise that no piece is sold twice. Prices of orders and their clock live in
//! the order service. To add an endpoint: a file under `routes/` named for its path, a line in its `router()`, and its test
//! under the same path in `tests/it/`.

mod catalogue;
mod config;
mod consumer;
pub mod domain;
mod error;
mod routes;
mod store;

use std::net::SocketAddr;

use axum::Router;
use ecommerce_contract::Service;
use ecommerce_http::api_key::KnownKeys;
use ecommerce_http::operations::Operations;
use ecommerce_http::process::{self, Listeners};
use ecommerce_http::{api_key, request_log};
use ecommerce_postgres::{Wake, housekeeping};
use ecommerce_rabbit::{Consumer, Relay};
use ecommerce_redis::Redis;
use ecommerce_runtime::settings::Drain;
use ecommerce_runtime::tasks::EndedEarly;
use ecommerce_runtime::{Shutdown, Tasks};
use ecommerce_types::Clock;
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use sqlx::migrate::Migrator;

use crate::catalogue::Catalogue;
pub use crate::config::Config;
use crate::error::Error;
pub use crate::routes::openapi;

/// The product service's schema.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/product")
}

/// What every handler works with.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: PgPool,
    pub(crate) clock: Clock,
    pub(crate) catalogue: Catalogue,
}

/// A service that is bound and ready to run.
pub struct App {
    listeners: Listeners,
    routes: Router,
    operations: Operations,
    tasks: Tasks,
    drain: Drain,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A port is taken, or not ours to take.
    #[error("failed to listen")]
    Listen(#[from] std::io::Error),
    /// The callers' keys are not known.
    #[error(transparent)]
    ApiKeys(#[from] api_key::Error),
    /// `DATABASE_URL` is none.
    #[error(transparent)]
    Postgres(#[from] ecommerce_postgres::pool::InvalidUrl),
    /// `AMQP_URL` is none.
    #[error(transparent)]
    Rabbit(#[from] ecommerce_rabbit::Error),
    /// `REDIS_URL` is none.
    #[error(transparent)]
    Redis(#[from] ecommerce_redis::Error),
}

impl App {
    /// Binds the ports and sets up the background work. The stores and the broker may still be away.
    pub async fn build(
        config: Config,
        clock: Clock,
        metrics: PrometheusHandle,
        shutdown: Shutdown,
    ) -> Result<Self, BuildError> {
        config.rabbit.validate()?;
        let listeners = Listeners::bind(&config.listen).await?;
        let keys = KnownKeys::read(&config.api_keys)?;
        let pool = ecommerce_postgres::connect(&config.postgres, "product")?;
        let redis = Redis::connect(&config.redis).await?;
        let catalogue = Catalogue::new(pool.clone(), &redis);
        let outbox = Wake::new();

        let relay = Relay { settings: config.rabbit.clone(), pool: pool.clone(), wake: outbox.clone() };
        let consumer = Consumer {
            settings: config.rabbit,
            service: Service::Product,
            pool: pool.clone(),
            wakes: vec![outbox],
            handler: consumer::Reservations::new(clock.clone(), catalogue.clone()),
        };
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("api keys", keys.clone().follow(shutdown.clone()));
        tasks.spawn_last("relay", |end| relay.run(end));
        tasks.spawn("consumer", consumer.run(shutdown.clone()));
        tasks.spawn("housekeeping", housekeeping::run(pool.clone(), shutdown.clone()));

        let state = State { pool, clock: clock.clone(), catalogue };
        let routes = request_log::around(routes::router(state, keys), clock);
        let operations = Operations::new(metrics, shutdown);
        Ok(Self { listeners, routes, operations, tasks, drain: config.drain })
    }

    /// Where the API listens.
    pub fn http_address(&self) -> std::io::Result<SocketAddr> {
        self.listeners.http_address()
    }

    /// Where health and metrics listen.
    pub fn operations_address(&self) -> std::io::Result<SocketAddr> {
        self.listeners.operations_address()
    }

    /// Runs until the shutdown says stop.
    pub async fn run(self) -> Result<(), EndedEarly> {
        process::run(self.listeners, self.routes, self.operations, self.tasks, self.drain).await
    }
}
