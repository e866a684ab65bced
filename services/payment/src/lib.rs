//! Payments: charged at most once, and given back when their order ends without a sale.
//!
//! `domain/` decides and touches nothing; `store/` holds all SQL; `routes/` is what a client reaches, one file an endpoint;
//! `consumer.rs` is what order tells; `provider/` is who takes the money, and `attempts/` is how it is asked, so that no crash
//! charges twice or keeps what is not ours. To add an endpoint: a file in `routes/payments/`, a line in its `router()`, a test
//! of the same name. To add a provider: see [`provider`].

mod answer;
mod attempts;
pub mod config;
mod consumer;
pub mod domain;
mod error;
pub mod provider;
mod routes;
mod store;
mod view;

use std::net::SocketAddr;

use axum::Router;
use ecommerce_contract::Service;
use ecommerce_http::api_key::KnownKeys;
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
use sqlx::migrate::Migrator;

use crate::attempts::{AtWork, Attempts, worker};
pub use crate::config::Config;
use crate::provider::{Provider, Simulator};
pub use crate::routes::openapi;

/// The payment service's schema.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/payment")
}

/// What a process needs beside the provider's own time to bring an attempt to its end.
const HOLD_MARGIN: time::Duration = time::Duration::seconds(2);

/// What every handler works with.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) attempts: Attempts,
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
}

impl App {
    /// Binds the ports and sets up the background work. The database and the broker may still be away.
    pub async fn build(
        config: Config,
        clock: Clock,
        metrics: PrometheusHandle,
        shutdown: Shutdown,
    ) -> Result<Self, BuildError> {
        config.rabbit.validate()?;
        let listeners = Listeners::bind(&config.listen).await?;
        let keys = KnownKeys::read(&config.api_keys)?;
        let pool = ecommerce_postgres::connect(&config.postgres, "payment")?;
        let timeout = config.provider.timeout();
        let provider = match config.provider.payment_provider {
            config::Kind::Simulator => {
                Provider::Simulator(Simulator::new(pool.clone(), config.provider.simulator, timeout))
            }
        };
        let attempts = Attempts {
            pool: pool.clone(),
            clock: clock.clone(),
            provider,
            holder: clock.new_id(),
            // A look-up and a charge, each as long as it may take.
            hold_time: HOLD_MARGIN + timeout * 2,
            at_work: AtWork::default(),
            work: Wake::new(),
            outbox: Wake::new(),
        };

        let relay = Relay { settings: config.rabbit.clone(), pool: pool.clone(), wake: attempts.outbox.clone() };
        let consumer = Consumer {
            settings: config.rabbit,
            service: Service::Payment,
            pool: pool.clone(),
            // The outbox has nothing new: what these events bring about is told when the provider has done it.
            wakes: vec![attempts.work.clone()],
            handler: consumer::Payments { attempts: attempts.clone() },
        };
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("api keys", keys.clone().follow(shutdown.clone()));
        tasks.spawn_last("relay", |end| relay.run(end));
        tasks.spawn("consumer", consumer.run(shutdown.clone()));
        tasks.spawn("attempts", worker::run(attempts.clone(), shutdown.clone()));
        tasks.spawn("housekeeping", housekeeping::run(pool, shutdown.clone()));

        let routes = request_log::around(routes::router(State { attempts }, keys), clock);
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
