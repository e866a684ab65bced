//! Orders: placed at the catalogue's prices, given their stock and their money through messages, and ended exactly once.
//!
//! `domain/` decides and touches nothing; `store/` holds all SQL; `routes/` is what a client reaches, one file an endpoint;
//! `consumer.rs` is what other services tell; `expiry.rs` is the clock. To add an endpoint: a file in `routes/orders/`, a line
//! in its `router()`, a test of the same name.

mod config;
mod consumer;
pub mod domain;
mod error;
mod expiry;
mod routes;
mod store;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use ecommerce_contract::Service;
use ecommerce_http::api_key::KnownKeys;
use ecommerce_http::client::Peer;
use ecommerce_http::operations::Operations;
use ecommerce_http::process::{self, Listeners};
use ecommerce_http::{api_key, request_log};
use ecommerce_postgres::{Wake, housekeeping};
use ecommerce_rabbit::{Consumer, Relay};
use ecommerce_runtime::settings::Drain;
use ecommerce_runtime::tasks::EndedEarly;
use ecommerce_runtime::{Shutdown, Tasks};
use ecommerce_types::Clock;
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use sqlx::migrate::Migrator;

pub use crate::config::Config;
pub use crate::routes::openapi;

/// The order service's schema.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/order")
}

/// How long product may take to name its prices.
const CATALOGUE: Duration = Duration::from_secs(2);

/// What every handler works with.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: PgPool,
    pub(crate) clock: Clock,
    pub(crate) product: Peer,
    pub(crate) payment_window: time::Duration,
    /// Tapped after each commit that wrote an event.
    pub(crate) outbox: Wake,
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
    /// `PRODUCT_URL` is none that can be asked.
    #[error(transparent)]
    Product(#[from] ecommerce_http::client::Error),
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
        let payment_window = config.payment_window();
        let listeners = Listeners::bind(&config.listen).await?;
        let keys = KnownKeys::read(&config.api_keys)?;
        let pool = ecommerce_postgres::connect(&config.postgres, "order")?;
        let product = Peer::new(config.product_url, config.product_api_key, CATALOGUE)?;
        let outbox = Wake::new();

        let relay = Relay { settings: config.rabbit.clone(), pool: pool.clone(), wake: outbox.clone() };
        let consumer = Consumer {
            settings: config.rabbit,
            service: Service::Order,
            pool: pool.clone(),
            wakes: vec![outbox.clone()],
            handler: consumer::Orders { clock: clock.clone() },
        };
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("api keys", keys.clone().follow(shutdown.clone()));
        tasks.spawn_last("relay", |end| relay.run(end));
        tasks.spawn("consumer", consumer.run(shutdown.clone()));
        tasks.spawn("expiry", expiry::run(pool.clone(), clock.clone(), outbox.clone(), shutdown.clone()));
        tasks.spawn("housekeeping", housekeeping::run(pool.clone(), shutdown.clone()));

        let state = State { pool, clock: clock.clone(), product, payment_window, outbox };
        let routes = request_log::around(routes::router(state, keys), clock);
        let operations = Operations::new(metrics, shutdown);
        Ok(Self { listeners, routes, operations, tasks, drain: config.drain })
    }

    /// Where the API listens.
    pub fn http_address(&self) -> std::io::Result<SocketAddr> {
        self.listeners.http_address()
    }

    /// Runs until the shutdown says stop.
    pub async fn run(self) -> Result<(), EndedEarly> {
        process::run(self.listeners, self.routes, self.operations, self.tasks, self.drain).await
    }
}
