//! What a handler takes from a request; each refuses with a [`crate::Problem`] that says what is wrong.

mod idempotency_key;
mod json;
mod path;
mod query;

pub use idempotency_key::IdempotencyKey;
pub use json::Json;
pub use path::Path;
pub use query::Query;
