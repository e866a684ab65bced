//! Everything that can go wrong with a request, and what its client is told.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ecommerce_http::Problem;
use ecommerce_idempotency as idempotency;
use ecommerce_postgres::is_transient;
use ecommerce_types::Invalid;

use crate::domain::stock::Refused;

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// 404: no product has this id, or it is archived.
    #[error("there is no such product")]
    ProductNotFound,
    /// 409: another product that is for sale has this sku.
    #[error("another product has this sku")]
    SkuTaken,
    /// 412: the product, or its stock, has changed since the client read it.
    #[error("it is no longer as If-Match names it")]
    VersionMismatch,
    /// 409 or 422: the stock cannot be so.
    #[error(transparent)]
    Stock(#[from] Refused),
    /// 400: the cursor is not one of this list's.
    #[error(transparent)]
    Cursor(#[from] Invalid),
    /// 400: nothing costs at least the one and at most the other.
    #[error("min_price is larger than max_price")]
    NoPriceBetween,
    /// 409, 422 or the database's: the write with a key is not done.
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
    /// 503 or 500: the database did not do its part.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// As the one error says that several requests share, because they shared a load.
    #[error(transparent)]
    Shared(#[from] Arc<Error>),
}

impl Error {
    fn problem(&self) -> Problem {
        match self {
            Self::ProductNotFound => {
                Problem::new(StatusCode::NOT_FOUND, "product_not_found", "there is no product with this id for sale")
            }
            Self::SkuTaken => Problem::new(
                StatusCode::CONFLICT,
                "sku_taken",
                "another product has this sku; give this one another, or archive that one first",
            ),
            Self::VersionMismatch => Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "version_mismatch",
                "this has changed since you read it; read it again and send If-Match with its new ETag",
            ),
            Self::Stock(refused @ Refused::BelowReserved { .. }) => {
                Problem::new(StatusCode::CONFLICT, "stock_below_reserved", refused.to_string())
            }
            Self::Stock(refused @ Refused::TooMany) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "stock_too_large", refused.to_string())
            }
            Self::Cursor(reason) => Problem::new(StatusCode::BAD_REQUEST, "invalid_cursor", reason.to_string()),
            Self::NoPriceBetween => Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_query",
                "min_price is larger than max_price; exchange them, or leave one of them out",
            ),
            Self::Idempotency(error) => Problem::from(error),
            Self::Database(error) => Problem::of_store("database_unavailable", is_transient(error), error),
            Self::Shared(error) => error.problem(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.problem().into_response()
    }
}
