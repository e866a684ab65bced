//! The second port: health for Kubernetes, metrics for Prometheus. No client reaches it.
//!
//! `/livez` says that the process answers, `/readyz` that it takes requests. Neither asks the broker, a peer or a store: when
//! one of those is away, every pod that asked would be taken out, and a fault of one would be an outage of all.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use ecommerce_runtime::Shutdown;
use metrics_exporter_prometheus::PrometheusHandle;

/// What the second port tells of.
#[derive(Clone)]
pub struct Operations {
    /// The recorded metrics.
    pub metrics: PrometheusHandle,
    /// Turns the process unready.
    pub shutdown: Shutdown,
    /// Whether the process still does its work; a service that answers does.
    pub alive: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Operations {
    /// The second port of a process that is alive while it answers.
    #[must_use]
    pub fn new(metrics: PrometheusHandle, shutdown: Shutdown) -> Self {
        Self { metrics, shutdown, alive: Arc::new(|| true) }
    }

    /// `/livez`, `/readyz` and `/metrics`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/livez", get(live))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

async fn live(State(operations): State<Operations>) -> (StatusCode, &'static str) {
    if (operations.alive)() { (StatusCode::OK, "alive\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "stuck\n") }
}

async fn ready(State(operations): State<Operations>) -> (StatusCode, &'static str) {
    if operations.shutdown.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

async fn metrics(State(operations): State<Operations>) -> String {
    operations.metrics.run_upkeep();
    operations.metrics.render()
}
