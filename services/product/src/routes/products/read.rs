//! `GET /api/v1/products/{id}`.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ecommerce_http::Problem;
use ecommerce_http::extract::{Json, Path};
use ecommerce_types::ProductId;

use super::etag::Tag;
use crate::Error;
use crate::domain::Product;
use crate::state::State;

/// Read a product
///
/// One that is for sale, as new as its last change.
#[utoipa::path(
    get,
    path = "/api/v1/products/{id}",
    tag = "product",
    operation_id = "read_product",
    params(
        ("id" = ProductId, Path, description = "The product"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the copy that the client has"),
    ),
    responses(
        (status = 200, description = "The product", body = Product, headers(("ETag" = String, description = "Names this state of the product"))),
        (status = 304, description = "The client has it already"),
        (status = 404, description = "`product_not_found`: there is none with this id, or it is archived", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Path(id): Path<ProductId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let product = state.catalogue.product(id).await?;
    let tag = Tag::from(&product);
    let header = [(header::ETAG, tag.header())];
    if tag.is_known(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, header).into_response());
    }
    Ok((header, Json(product)).into_response())
}
