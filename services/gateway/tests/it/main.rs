//! The gateway between real sockets: clients in front, small servers behind that tell what they have received, a real Redis
//! beside it, and tokens signed with a real key. Time stands still until a test moves it.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod answers;
mod bodies;
mod fence;
mod hostile;
mod log_filter;
mod openapi;
mod process;
mod raw;
mod request_id;
mod roles;
mod routes;
mod sessions;
mod shop;
mod tokens;
mod trusted_headers;
mod upstream;
