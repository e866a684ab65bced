//! `GET /api/v1/products/{id}/stock`.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_types::ProductId;
use sqlx::PgConnection;

use super::StockLevel;
use crate::Error;
use crate::routes::products::etag::Tag;
use crate::state::State;
use crate::store::stock;

/// Read the stock
///
/// The pieces of a product, for sale or archived, as they are at this moment. For staff.
#[utoipa::path(
    get,
    path = "/api/v1/products/{id}/stock",
    tag = "product",
    operation_id = "read_stock",
    params(
        ("id" = ProductId, Path, description = "The product"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the copy that the client has"),
    ),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The stock", body = StockLevel, headers(("ETag" = String, description = "Names this state of the stock"))),
        (status = 304, description = "The client has it already"),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 404, description = "`product_not_found`: there is none with this id", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    _staff: Staff,
    Shared(state): Shared<State>,
    Path(id): Path<ProductId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let stock = state.pool.run(async |connection: &mut PgConnection| stock::find(connection, id).await).await?;
    let stock = stock.ok_or(Error::ProductNotFound)?;
    let tag = Tag::from(stock);
    let header = [(header::ETAG, tag.header())];
    if tag.is_known(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, header).into_response());
    }
    Ok((header, Json(StockLevel::from(stock))).into_response())
}
