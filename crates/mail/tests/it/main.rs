//! Mail through a real SMTP server.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod scripted;
mod send;
mod server;
