//! What can go wrong with a payment, and how it is answered.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ecommerce_http::Problem;
use ecommerce_idempotency as idempotency;
use ecommerce_postgres::is_transient;

use crate::domain::{NotPayable, TooManyDeclines, card_testing};

/// Each variant is a fact of the business; its status stands beside it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// 404, also for a payment of somebody else: whether it exists is nobody's business.
    #[error("no such payment")]
    NotFound,
    /// 409: no charge may begin.
    #[error(transparent)]
    NotPayable(#[from] NotPayable),
    /// 422: the provider has no such method.
    #[error("unknown payment method")]
    UnknownMethod,
    /// 429: the customer has had too many methods declined.
    #[error(transparent)]
    TooManyDeclines(#[from] TooManyDeclines),
    /// 400: the cursor is not one of this list's.
    #[error(transparent)]
    Cursor(#[from] ecommerce_types::Invalid),
    /// 409, 422, 503 or 500: the `Idempotency-Key` is in use, was reused, or cannot be looked up.
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
    /// 503 or 500: the database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => {
                Self::new(StatusCode::NOT_FOUND, "payment_not_found", "you have no payment with this id")
            }
            Error::NotPayable(reason) => Self::new(StatusCode::CONFLICT, reason.code(), reason.to_string()),
            Error::UnknownMethod => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown_payment_method",
                "the payment provider does not know this method; use one that it has given out",
            ),
            Error::TooManyDeclines(TooManyDeclines { retry_after }) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                card_testing::CODE,
                "too many payment methods were declined within an hour; no other is tried for now, try again later",
            )
            .retry_after(retry_after),
            Error::Cursor(reason) => Self::new(StatusCode::BAD_REQUEST, "invalid_cursor", reason.to_string()),
            Error::Idempotency(error) => Self::from(&error),
            Error::Database(error) => Self::of_store("database_unavailable", is_transient(&error), &error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
