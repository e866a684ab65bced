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

/// Whether the same work may succeed later without a change of ours: the server is away, busy, read-only, or lets nobody in.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // 08 connection, 25 a read-only server, 28 a changed password, 40 rollback (deadlock, serialization), 53 resources,
        // 55 lock, 57 intervention.
        sqlx::Error::Database(_) => is_of_class(error, &["08", "25", "28", "40", "53", "55", "57"]),
        _ => false,
    }
}

/// Whether the data themselves are at fault, so that the same work fails for ever.
#[must_use]
pub fn is_fault_of_the_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::RowNotFound
        | sqlx::Error::Encode(_)
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::TypeNotFound { .. } => true,
        // 22 a value that does not fit, 23 a constraint.
        sqlx::Error::Database(_) => is_of_class(error, &["22", "23"]),
        _ => false,
    }
}

/// Whether the server's SQLSTATE is of one of these classes (PostgreSQL's manual, appendix A).
fn is_of_class(error: &sqlx::Error, classes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| classes.iter().any(|class| code.starts_with(class)))
}

/// The name of the constraint that a statement has violated.
#[must_use]
pub fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
}
