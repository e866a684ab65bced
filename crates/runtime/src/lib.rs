//! What every process needs before it does anything of its own: settings, logs and metrics, a way to end, work that is done
//! again and again, and the id of the request it is working for.
//!
//! Nothing here knows HTTP, SQL or a broker. To add a setting that all processes share: a field with its variable in
//! [`settings`], and a row in the operator's environment. To add a metric: a static in `metrics.rs` of the crate that
//! measures it, and its line in the list there.

pub mod backoff;
mod error_chain;
mod every;
pub mod exit;
mod log_filter;
mod log_line;
pub mod log_writer;
pub mod metrics;
mod notifier;
pub mod request_id;
pub mod settings;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;

pub use backoff::Backoff;
pub use error_chain::ErrorChain;
pub use every::every;
pub use notifier::Notifier;
pub use shutdown::Shutdown;
pub use tasks::Tasks;
