//! Logs and metrics.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::settings::{LogFormat, Logs};

/// Upper bounds in seconds: from a cache's answer to a request that has failed.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `LOG_FILTER` does not parse.
    #[error("LOG_FILTER is no filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else logs already.
    #[error("failed to start logging: {0}")]
    Logs(#[from] TryInitError),
    /// Something else records metrics already.
    #[error("failed to start metrics: {0}")]
    Metrics(#[from] BuildError),
}

/// Starts logs to standard output, and the recording of metrics; what is recorded is read from the handle.
pub fn start(logs: &Logs) -> Result<PrometheusHandle, Error> {
    let filter = EnvFilter::try_new(&logs.log_filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    match logs.log_format {
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false);
            registry.with(layer).try_init()?;
        }
        LogFormat::Text => registry.with(tracing_subscriber::fmt::layer()).try_init()?,
    }
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?)
}
