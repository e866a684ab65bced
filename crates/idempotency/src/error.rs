//! Why a write with a key is not done.

use axum::http::StatusCode;
use ecommerce_http::Problem;
use ecommerce_postgres::is_transient;

/// Each with the status that the client sees.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 409: the first request with this key has not ended.
    #[error("a request with this key is still running")]
    Running,
    /// 422: the key has named another request.
    #[error("this key has named another request")]
    Reused,
    /// 500: the answer cannot be written down.
    #[error("failed to write the answer as JSON")]
    Json(#[from] serde_json::Error),
    /// 503 or 500: the database did not do its part.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Running => Self::new(
                StatusCode::CONFLICT,
                "idempotency_key_in_use",
                "the first request with this Idempotency-Key is still running; send it again in a moment",
            )
            .retry_after(1),
            Error::Reused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key has named a request with another body; use a new key for a new request",
            ),
            Error::Json(cause) => Self::internal(cause),
            Error::Database(cause) => Self::of_store("database_unavailable", is_transient(cause), cause),
        }
    }
}
