//! Every SQL statement of this service, in plain functions that take a connection.
//!
//! No rule lives here: what a statement may not do, its caller has decided under the statement's lock, and the schema's
//! constraints guard it a last time. To add a table: a file named for it, look-ups first, then changes; then
//! `local/sqlx-prepare product`.

pub(crate) mod products;
pub(crate) mod reservations;
pub(crate) mod search;
pub(crate) mod stock;

/// A stored value that the domain refuses: somebody else has written it.
fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
