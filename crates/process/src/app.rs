//! A service that is put together.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use ecommerce_http::health_and_metrics::HealthAndMetrics;
use ecommerce_http::server::{Ending, Limits, serve};
use ecommerce_runtime::settings::Drain;
use ecommerce_runtime::tasks::EndedEarly;
use ecommerce_runtime::{Shutdown, Tasks};

use crate::host::Listeners;
use crate::readiness::{self, Readiness};

/// A service that is bound and ready to run.
pub struct App {
    pub(crate) listeners: Listeners,
    pub(crate) routes: Router,
    pub(crate) health: HealthAndMetrics,
    pub(crate) readiness: Readiness,
    pub(crate) limits: Limits,
    pub(crate) tasks: Tasks,
    pub(crate) drain: Drain,
}

impl App {
    /// Where the API listens.
    pub fn http_address(&self) -> io::Result<SocketAddr> {
        self.listeners.http.local_addr()
    }

    /// Where health and metrics listen.
    pub fn operations_address(&self) -> io::Result<SocketAddr> {
        self.listeners.operations.local_addr()
    }

    /// The same, ready only once `is_reached` has said that this was reached, which somebody else tries.
    #[must_use]
    pub fn ready_once(mut self, name: &'static str, is_reached: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.readiness.wait_for(name, is_reached);
        self
    }

    /// The same, ready only once this store was reached; it is tried until then and not again.
    #[must_use]
    pub fn ready_once_reached<F, E>(
        mut self,
        store: &'static str,
        reach: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Error + Send + 'static,
    {
        let was_reached = Arc::new(AtomicBool::new(false));
        self.tasks.spawn(store, readiness::reach(store, reach, was_reached.clone(), self.health.shutdown.clone()));
        self.ready_once(store, move || was_reached.load(Ordering::Relaxed))
    }

    /// Runs until the shutdown says stop, then ends what is in hand. Health is answered to the very end.
    pub async fn run(mut self) -> Result<(), EndedEarly> {
        self.health.unreached = Arc::new(self.readiness.into_question());
        if let (Ok(http), Ok(operations)) = (self.listeners.http.local_addr(), self.listeners.operations.local_addr()) {
            tracing::info!(http.address = %http, operations.address = %operations, "listening");
        }
        let shutdown = self.health.shutdown.clone();
        let end_of_health = Shutdown::new();
        let at_once = Ending { idle: Duration::ZERO, requests: Duration::from_secs(1) };
        let health =
            serve(self.listeners.operations, self.health.router(), self.limits, end_of_health.clone(), at_once);
        let health = tokio::spawn(health);
        let ending = Ending { idle: self.drain.idle(), requests: self.drain.timeout() };
        let requests = serve(self.listeners.http, self.routes, self.limits, shutdown, ending);
        let ended = self.tasks.run(requests, self.drain.timeout()).await;
        end_of_health.stop();
        let _ = health.await;
        ended
    }
}
