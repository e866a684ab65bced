//! PostgreSQL as every service uses it: the pool, the migrations, and the tables that make messages and writes happen once.
//!
//! No table of a service lives here. The tables that do (`outbox`, `inbox`, `idempotency_keys`) are made by each service's
//! own migrations, which hold the same statements, because a service's schema is its own.

pub mod housekeeping;
pub mod idempotency;
pub mod inbox;
pub mod migration;
pub mod outbox;
pub mod pool;
pub mod wake;

pub use pool::{Settings, connect};
pub use wake::Wake;

use ecommerce_http::Problem;

/// The answer to a request whose database did not do its part. What may pass by itself is 503, what may not is 500.
#[must_use]
pub fn problem(error: &sqlx::Error) -> Problem {
    if is_transient(error) { Problem::unavailable("database_unavailable", error) } else { Problem::internal(error) }
}

/// Whether the same work may succeed when it is tried again.
#[must_use]
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // Classes of SQLSTATE: 08 connection, 40 rollback (deadlock, serialization), 53 resources, 55 lock, 57 intervention.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["08", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}

/// The name of the constraint that a statement has violated.
#[must_use]
pub fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
}
