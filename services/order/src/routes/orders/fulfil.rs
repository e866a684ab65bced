//! `POST /api/v1/orders/{id}/fulfil`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_types::OrderId;

use super::change::change;
use super::view;
use crate::error::Error;
use crate::state::State;

/// Fulfil an order
///
/// Marks a paid order as sent. For staff.
#[utoipa::path(
    post,
    path = "/{id}/fulfil",
    tag = "orders",
    operation_id = "fulfil_order",
    params(("id" = OrderId, Path, description = "The order")),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The order, fulfilled", body = view::Order),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 404, description = "`order_not_found`: there is no such order", body = Problem),
        (status = 409, description = "`order_state`: it is not paid", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Staff(caller): Staff,
    Path(id): Path<OrderId>,
) -> Result<Json<view::Order>, Error> {
    let order = change(&state, &caller, id, |order| order.fulfil(state.clock.now())).await?;
    Ok(Json(order.into()))
}
