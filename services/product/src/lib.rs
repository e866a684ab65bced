//! The product service: what the shop sells, what it costs, and how many there are.
//!
//! Here live the catalogue, its stock, and the promise that no piece is sold twice. Prices of orders and their clock live in
//! the order service. To add an endpoint: a file under `routes/` named for its path, a line in its `router()`, and its test
//! under the same path in `tests/it/`.

pub mod catalogue;
pub mod config;
pub mod consumer;
pub mod domain;
pub mod error;
pub mod routes;
pub mod store;

use std::net::SocketAddr;

use axum::Router;
use ecommerce_contract::Service;
use ecommerce_http::api_key::{self, KnownKeys};
use ecommerce_http::operations::Operations;
use ecommerce_http::{request_log, server};
use ecommerce_postgres::{Wake, housekeeping};
use ecommerce_rabbit::{Consumer, Relay};
use ecommerce_redis::Redis;
use ecommerce_runtime::tasks::EndedEarly;
use ecommerce_runtime::{Shutdown, Tasks};
use ecommerce_types::Clock;
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;

pub use config::Config;
pub use error::Error;

use catalogue::Catalogue;
use consumer::Reservations;
use routes::AppState;

/// The schema, as `migrations/product` makes it.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/product")
}

/// A service that listens but does not answer yet.
pub struct App {
    /// Where the API is.
    pub address: SocketAddr,
    /// Where health and metrics are.
    pub operations_address: SocketAddr,
    listener: TcpListener,
    operations_listener: TcpListener,
    routes: Router,
    operations: Router,
    keys: KnownKeys,
    pool: PgPool,
    relay: Relay,
    consumer: Consumer<Reservations>,
    config: Config,
    shutdown: Shutdown,
}

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `API_KEY_HASHES_FILE` is of no use.
    #[error(transparent)]
    Keys(#[from] api_key::Error),
    /// `DATABASE_URL` is of no use.
    #[error(transparent)]
    Database(#[from] ecommerce_postgres::pool::InvalidUrl),
    /// `AMQP_URL` is of no use.
    #[error(transparent)]
    Broker(#[from] ecommerce_rabbit::Error),
    /// `REDIS_URL` is of no use.
    #[error(transparent)]
    Redis(#[from] ecommerce_redis::Error),
    /// An address cannot be listened on.
    #[error("failed to listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
}

impl App {
    /// Puts the service together. None of its stores needs to be there yet.
    pub async fn build(
        config: Config,
        metrics: PrometheusHandle,
        clock: Clock,
        shutdown: Shutdown,
    ) -> Result<Self, StartError> {
        config.broker.validate()?;
        let keys = KnownKeys::read(&config.api_keys)?;
        let pool = ecommerce_postgres::connect(&config.database, "product")?;
        let redis = Redis::connect(&config.redis).await?;
        let catalogue = Catalogue::new(pool.clone(), &redis);
        let wake = Wake::new();
        let relay = Relay { settings: config.broker.clone(), pool: pool.clone(), wake: wake.clone() };
        let consumer = Consumer {
            settings: config.broker.clone(),
            service: Service::Product,
            pool: pool.clone(),
            wakes: vec![wake],
            handler: Reservations::new(clock.clone(), catalogue.clone()),
        };
        let state = AppState { pool: pool.clone(), clock: clock.clone(), catalogue };
        let (listener, address) = listen(config.listen.http_address).await?;
        let (operations_listener, operations_address) = listen(config.listen.operations_address).await?;
        Ok(Self {
            address,
            operations_address,
            listener,
            operations_listener,
            routes: request_log::around(routes::router(state, &keys), clock),
            operations: Operations::new(metrics, shutdown.clone()).router(),
            keys,
            pool,
            relay,
            consumer,
            config,
            shutdown,
        })
    }

    /// Works until the shutdown says stop.
    pub async fn run(self) -> Result<(), EndedEarly> {
        let timeout = self.config.drain.timeout();
        let shutdown = self.shutdown;
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("keys", self.keys.follow(shutdown.clone()));
        tasks.spawn("relay", self.relay.run(shutdown.clone()));
        tasks.spawn("consumer", self.consumer.run(shutdown.clone()));
        tasks.spawn("housekeeping", housekeeping::run(self.pool, shutdown.clone()));
        tasks.spawn("operations", server::serve(self.operations_listener, self.operations, shutdown.clone(), timeout));
        tasks.spawn("http", server::serve(self.listener, self.routes, shutdown, timeout));
        tasks.run(timeout).await
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen.await.map_err(|source| StartError::Listen(address, source))
}
