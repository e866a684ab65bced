//! HTTP as every service of a stack speaks it.
//!
//! Here live the server, the answers to what went wrong, what a handler extracts from a request, and the layers around all
//! routes. No route lives here, and no business rule. To add an extractor: a file in `extract/` whose rejection is a
//! [`Problem`].

mod answered;
pub mod api_key;
mod behind_gateway;
pub mod caller;
pub mod client;
mod client_address;
pub mod document;
pub mod edge_key;
pub mod extract;
pub mod health_and_metrics;
pub mod metrics;
pub mod problem;
pub mod renewed;
pub mod request_log;
mod route_metrics;
pub mod server;

pub use behind_gateway::behind_gateway;
pub use caller::{Admin, Caller, Customer, Staff};
pub use client_address::{ClientAddress, client_of};
pub use problem::Problem;

/// What a request body may weigh, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
