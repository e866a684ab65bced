//! The second port: health for Kubernetes, metrics for Prometheus. No client reaches it.
//!
//! `/livez` says that the process answers, `/readyz` that it takes requests. Neither asks the broker, a peer or a store: when
//! one of those is away, every pod that asked would be taken out, and a fault of one would be an outage of all. What a
//! process cannot do without from its first request on, it reaches once before it is ready ([`HealthAndMetrics::unreached`]).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::get;
use ecommerce_runtime::{Shutdown, metrics};

type Ask<Answer> = Arc<dyn Fn() -> Answer + Send + Sync>;

/// What the second port tells of.
#[derive(Clone)]
pub struct HealthAndMetrics {
    /// Turns the process unready.
    pub shutdown: Shutdown,
    /// Whether the process still does its work; a service that answers does.
    pub alive: Ask<bool>,
    /// What the process needs to begin and has not reached yet; once it had reached everything, nothing ever again.
    pub unreached: Ask<Vec<&'static str>>,
}

impl HealthAndMetrics {
    /// The second port of a process that is alive while it answers, and ready at once.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, alive: Arc::new(|| true), unreached: Arc::new(Vec::new) }
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

async fn ready(State(health): State<HealthAndMetrics>) -> (StatusCode, String) {
    if health.shutdown.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    let unreached = (health.unreached)();
    if unreached.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not reached yet: {}\n", unreached.join(", ")))
    }
}

async fn rendered() -> ([(HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::render())
}
