//! HTTP as a client sees it: through real sockets, to a server of one's own.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod answers;
mod callers;
mod ending;
mod site;
