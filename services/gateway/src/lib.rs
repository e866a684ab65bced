//! The gateway: the shop's one door.
//!
//! Here lives what happens to a request before a service sees it: what a client must not say is taken away, its token is
//! verified, its rights are looked up, and what the services believe is set. No business rule lives here, and no database.
//! To add a route: a row of [`routes::TABLE`].

pub mod body;
pub mod caller;
pub mod config;
pub mod error;
pub mod headers;
pub mod keys;
pub mod openapi;
pub mod router;
pub mod routes;
pub mod services;
pub mod sessions;

use std::net::SocketAddr;

use axum::Router;
use ecommerce_http::operations::Operations;
use ecommerce_http::process::{self, Listeners};
use ecommerce_redis::{Redis, Sessions};
use ecommerce_runtime::settings::Drain;
use ecommerce_runtime::tasks::EndedEarly;
use ecommerce_runtime::{Shutdown, Tasks};
use ecommerce_types::Clock;
use metrics_exporter_prometheus::PrometheusHandle;

pub use config::Config;
pub use error::Error;

use caller::Callers;
use keys::Keys;
use openapi::OpenApi;
use router::Gateway;
use services::{Services, SettingError};
use sessions::RememberedSessions;

/// A gateway that listens but does not answer yet.
pub struct App {
    listeners: Listeners,
    routes: Router,
    operations: Operations,
    tasks: Tasks,
    drain: Drain,
}

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A port is taken, or not ours to take.
    #[error("failed to listen")]
    Listen(#[from] std::io::Error),
    /// A setting of a service behind is of no use.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// `REDIS_URL` is of no use.
    #[error(transparent)]
    Redis(#[from] ecommerce_redis::Error),
}

impl App {
    /// Puts the gateway together. Neither Redis nor the services need to be there yet.
    pub async fn build(
        config: Config,
        clock: Clock,
        metrics: PrometheusHandle,
        shutdown: Shutdown,
    ) -> Result<Self, BuildError> {
        let listeners = Listeners::bind(&config.listen).await?;
        let services = Services::new(config.services.all())?;
        let keys = Keys::new(services.clone(), config.token.clone(), clock.clone());
        let sessions = Sessions::new(Redis::connect(&config.redis).await?);
        let sessions = RememberedSessions::new(sessions, clock.clone());
        let openapi = OpenApi::new(services.clone(), clock.clone());
        let gateway = Gateway { callers: Callers { keys: keys.clone(), sessions }, services, openapi };
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("keys", keys.follow(shutdown.clone()));
        let routes = router::router(gateway, clock);
        Ok(Self { listeners, routes, operations: Operations::new(metrics, shutdown), tasks, drain: config.drain })
    }

    /// Where clients come.
    pub fn http_address(&self) -> std::io::Result<SocketAddr> {
        self.listeners.http_address()
    }

    /// Where health and metrics are.
    pub fn operations_address(&self) -> std::io::Result<SocketAddr> {
        self.listeners.operations_address()
    }

    /// Answers until the shutdown says stop.
    pub async fn run(self) -> Result<(), EndedEarly> {
        process::run(self.listeners, self.routes, self.operations, self.tasks, self.drain).await
    }
}
