//! HTTP as every service of a stack speaks it.
//!
//! Here live the server, the answers to what went wrong, what a handler extracts from a request, and the layers around all
//! routes. No route lives here, and no business rule. To add an extractor: a file in `extract/` whose rejection is a
//! [`Problem`].

pub mod api_key;
pub mod caller;
pub mod client;
pub mod document;
pub mod extract;
pub mod operations;
pub mod problem;
pub mod process;
pub mod request_log;
pub mod server;

pub use caller::Caller;
pub use problem::Problem;

/// What a request body may weigh, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
