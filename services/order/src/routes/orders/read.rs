//! `GET /api/v1/orders/{id}`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::OrderId;
use sqlx::PgConnection;

use super::change::may_see;
use super::view;
use crate::error::Error;
use crate::state::State;
use crate::store;

/// Read an order
///
/// One of your own; for staff, anybody's.
#[utoipa::path(
    get,
    path = "/{id}",
    tag = "orders",
    operation_id = "read_order",
    params(("id" = OrderId, Path, description = "The order")),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The order", body = view::Order),
        (status = 404, description = "`order_not_found`: you have no such order", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    Path(id): Path<OrderId>,
) -> Result<Json<view::Order>, Error> {
    let order = state.pool.run(async |connection: &mut PgConnection| store::find(connection, id).await).await?;
    Ok(Json(order.filter(|order| may_see(&caller, order)).ok_or(Error::NotFound)?.into()))
}
