//! What can go wrong with an order, and how it is answered.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ecommerce_http::Problem;
use ecommerce_idempotency as idempotency;
use ecommerce_postgres::is_transient;

use crate::domain::{NotAllowed, Unplaceable};

/// Each variant is a fact of the business; its status stands beside it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// 404, also for an order of somebody else: whether it exists is nobody's business.
    #[error("no such order")]
    NotFound,
    /// 409: the order's state does not allow it.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// 422: the order is not one.
    #[error(transparent)]
    Unplaceable(#[from] Unplaceable),
    /// 400: the cursor is not one of this list's.
    #[error(transparent)]
    Cursor(#[from] ecommerce_types::Invalid),
    /// 422: a list is asked for by what no order is.
    #[error(transparent)]
    Filter(#[from] InvalidFilter),
    /// 409, 422, 503 or 500: the `Idempotency-Key` is in use, was reused, or cannot be looked up.
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
    /// 503: product names no prices.
    #[error(transparent)]
    Catalogue(#[from] ecommerce_http::client::Error),
    /// 503 or 500: the database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// 500: a row that this code does not understand, or an answer that is no JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// 401 or 403, decided already.
    #[error("refused")]
    Refused(Problem),
}

/// A parameter of a list that is none of what it may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{parameter}` is {allowed}")]
pub(crate) struct InvalidFilter {
    pub(crate) parameter: &'static str,
    pub(crate) allowed: String,
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::new(StatusCode::NOT_FOUND, "order_not_found", "you have no order with this id"),
            Error::NotAllowed(reason) => Self::new(StatusCode::CONFLICT, "order_state", reason.to_string()),
            Error::Unplaceable(reason) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, reason.code(), reason.to_string())
            }
            Error::Cursor(reason) => Self::new(StatusCode::BAD_REQUEST, "invalid_cursor", reason.to_string()),
            Error::Filter(reason) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_filter", reason.to_string()),
            Error::Idempotency(error) => Self::from(&error),
            Error::Catalogue(error) => Self::unavailable("catalogue_unavailable", &error),
            Error::Database(error) => Self::of_store("database_unavailable", is_transient(&error), &error),
            Error::Json(error) => Self::internal(&error),
            Error::Refused(problem) => problem,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
