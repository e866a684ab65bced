//! PostgreSQL as every service uses it: the pool, what goes in one statement, the migrations, and the table of what is to be sent.
//!
//! No table of a service lives here. The one that does (`outbox`) is made by each service's own migrations, which hold the
//! same statement, because a service's schema is its own.

mod address;
pub mod batching;
mod executor;
pub mod housekeeping;
pub mod low_end;
pub mod migration;
pub mod outbox;
pub mod pool;
mod unreadable;

pub use address::InvalidSettings;
pub use batching::Batching;
pub use low_end::LowEnd;
pub use pool::{BACKGROUND, Pool, RELAY, Settings, reach, transaction};
pub use unreadable::Unreadable;

/// Whether the same work may succeed later without a change of ours: the server is away, busy, read-only, or lets nobody in.
#[must_use]
pub fn is_transient(error: &sqlx::Error) -> bool {
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

/// Whether what the database holds does not read, as what a newer version has written.
#[must_use]
pub fn is_unreadable(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. })
}

/// Whether the data themselves are at fault, so that the same work fails for ever.
#[must_use]
pub fn is_fault_of_the_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::RowNotFound | sqlx::Error::Encode(_) | sqlx::Error::TypeNotFound { .. } => true,
        // 21 two changes of one row, 22 a value that does not fit, 23 a constraint, 54 more than the server can hold, as in an index.
        sqlx::Error::Database(_) => is_of_class(error, &["21", "22", "23", "54"]),
        _ => false,
    }
}

/// Whether the server's SQLSTATE is of one of these classes (PostgreSQL's manual, appendix A).
fn is_of_class(error: &sqlx::Error, classes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| classes.iter().any(|class| code.starts_with(class)))
}

/// Says at a statement what it means that it violates a constraint.
pub trait OnConstraint<T> {
    /// `meaning` in place of a violation of the constraint with this name; every other error as it is.
    fn on_constraint<E: From<sqlx::Error>>(self, name: &str, meaning: impl FnOnce() -> E) -> Result<T, E>;
}

impl<T> OnConstraint<T> for Result<T, sqlx::Error> {
    fn on_constraint<E: From<sqlx::Error>>(self, name: &str, meaning: impl FnOnce() -> E) -> Result<T, E> {
        self.map_err(|error| {
            let violated = error.as_database_error().and_then(sqlx::error::DatabaseError::constraint);
            if violated == Some(name) { meaning() } else { error.into() }
        })
    }
}
