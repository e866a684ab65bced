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
use ecommerce_http::server::serve;
use ecommerce_redis::{Redis, Sessions};
use ecommerce_runtime::tasks::EndedEarly;
use ecommerce_runtime::{Shutdown, Tasks};
use ecommerce_types::Clock;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

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
    /// Where clients come.
    pub address: SocketAddr,
    /// Where health and metrics are.
    pub operations_address: SocketAddr,
    listener: TcpListener,
    operations_listener: TcpListener,
    routes: Router,
    operations: Router,
    keys: Keys,
    config: Config,
    shutdown: Shutdown,
}

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting of a service behind is of no use.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// `REDIS_URL` is of no use.
    #[error(transparent)]
    Redis(#[from] ecommerce_redis::Error),
    /// An address cannot be listened on.
    #[error("failed to listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
}

impl App {
    /// Puts the gateway together. Neither Redis nor the services need to be there yet.
    pub async fn build(
        config: Config,
        metrics: PrometheusHandle,
        clock: Clock,
        shutdown: Shutdown,
    ) -> Result<Self, StartError> {
        let services = Services::new(config.services.all())?;
        let keys = Keys::new(services.clone(), config.token.clone(), clock.clone());
        let sessions = Sessions::new(Redis::connect(&config.redis).await?);
        let sessions = RememberedSessions::new(sessions, clock.clone());
        let openapi = OpenApi::new(services.clone(), clock.clone());
        let gateway = Gateway { callers: Callers { keys: keys.clone(), sessions }, services, openapi };
        let (listener, address) = listen(config.listen.http_address).await?;
        let (operations_listener, operations_address) = listen(config.listen.operations_address).await?;
        Ok(Self {
            address,
            operations_address,
            listener,
            operations_listener,
            routes: router::router(gateway, clock),
            operations: Operations::new(metrics, shutdown.clone()).router(),
            keys,
            config,
            shutdown,
        })
    }

    /// Answers until the shutdown says stop.
    pub async fn run(self) -> Result<(), EndedEarly> {
        let timeout = self.config.drain.timeout();
        let mut tasks = Tasks::new(self.shutdown.clone());
        tasks.spawn("keys", self.keys.follow(self.shutdown.clone()));
        tasks.spawn("operations", serve(self.operations_listener, self.operations, self.shutdown.clone(), timeout));
        tasks.spawn("http", serve(self.listener, self.routes, self.shutdown, timeout));
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
