//! What every process needs before it does anything of its own: settings, logs and metrics, a way to end, and the id of
//! the request it is working for.
//!
//! Nothing here knows HTTP, SQL or a broker. To add a setting that all processes share: a field with its variable in
//! [`settings`], and a row in the operator's environment.

pub mod arguments;
pub mod exit;
pub mod request_id;
pub mod settings;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;

pub use shutdown::Shutdown;
pub use tasks::Tasks;
