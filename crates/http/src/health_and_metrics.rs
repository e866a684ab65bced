//! The second port: health for Kubernetes, metrics for Prometheus. No client reaches it.
//!
//! `/livez` says that the process answers, `/readyz` that it takes requests. Neither asks the broker, a peer or a store: when
//! one of those is away, every pod that asked would be taken out, and a fault of one would be an outage of all. What a
//! process cannot do without from its first request on, it waits for once ([`HealthAndMetrics::started`]).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::get;
use ecommerce_runtime::{Shutdown, metrics};

type Ask = Arc<dyn Fn() -> bool + Send + Sync>;

/// What the second port tells of.
#[derive(Clone)]
pub struct HealthAndMetrics {
    /// Turns the process unready.
    pub shutdown: Shutdown,
    /// Whether the process still does its work; a service that answers does.
    pub alive: Ask,
    /// Whether the process has what it needs to begin; once it had, it is not asked again of whom it has it.
    pub started: Ask,
}

impl HealthAndMetrics {
    /// The second port of a process that is alive while it answers, and ready at once.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, alive: Arc::new(|| true), started: Arc::new(|| true) }
    }

    /// `/livez`, `/readyz` and `/metrics`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/livez", get(live))
            .route("/readyz", get(ready))
            .route("/metrics", get(rendered))
            .with_state(self)
    }
}

async fn live(State(health): State<HealthAndMetrics>) -> (StatusCode, &'static str) {
    if (health.alive)() { (StatusCode::OK, "alive\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "stuck\n") }
}

async fn ready(State(health): State<HealthAndMetrics>) -> (StatusCode, &'static str) {
    if health.shutdown.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if (health.started)() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "starting\n")
    }
}

async fn rendered() -> ([(HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::render())
}
