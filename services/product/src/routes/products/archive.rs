//! `DELETE /api/v1/products/{id}`.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use ecommerce_http::extract::Path;
use ecommerce_http::{Problem, Staff};
use ecommerce_types::ProductId;
use sqlx::PgConnection;

use super::etag::Tag;
use crate::Error;
use crate::state::State;
use crate::store::products;

/// Archive a product
///
/// Takes it from sale. What is set aside of it stays so; its stock can still be read and changed; its sku is free for
/// another.
#[utoipa::path(
    delete,
    path = "/api/v1/products/{id}",
    tag = "product",
    operation_id = "archive_product",
    params(
        ("id" = ProductId, Path, description = "The product"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is meant; sales in between do not count"),
    ),
    security(("access_token" = [])),
    responses(
        (status = 204, description = "It is no longer for sale"),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 404, description = "`product_not_found`: there is none with this id, or it is archived", body = Problem),
        (status = 412, description = "`version_mismatch`: somebody else has changed it since", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    _staff: Staff,
    Shared(state): Shared<State>,
    Path(id): Path<ProductId>,
    headers: HeaderMap,
) -> Result<StatusCode, Error> {
    let archive = async |transaction: &mut PgConnection| {
        let product = products::lock(transaction, id).await?.ok_or(Error::ProductNotFound)?;
        Tag::from(&product).require_match(&headers)?;
        Ok::<_, Error>(products::archive(transaction, id).await?)
    };
    state.pool.transaction(archive).await?;
    state.catalogue.changed([id]).await;
    Ok(StatusCode::NO_CONTENT)
}
