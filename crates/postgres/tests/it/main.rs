//! The pool and migrations on a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod locks;
mod passwords;
mod pool;
mod tls;
