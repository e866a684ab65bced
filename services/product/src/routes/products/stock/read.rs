//! `GET /api/v1/products/{id}/stock`.

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_types::ProductId;

use super::StockLevel;
use crate::Error;
use crate::state::State;
use crate::store::stock;

/// The stock as it is at this moment.
#[utoipa::path(
    get,
    path = "/api/v1/products/{id}/stock",
    tag = "product",
    operation_id = "read_stock",
    params(("id" = ProductId, Path, description = "The product")),
    responses(
        (status = 200, description = "The stock", body = StockLevel),
        (status = 404, description = "There is no product with this id: `product_not_found`", body = Problem),
    )
)]
pub(super) async fn handler(
    _staff: Staff,
    Shared(state): Shared<State>,
    Path(id): Path<ProductId>,
) -> Result<Json<StockLevel>, Error> {
    let mut connection = state.pool.acquire().await?;
    let stock = stock::find(&mut connection, id).await?.ok_or(Error::ProductNotFound)?;
    Ok(Json(stock.into()))
}
