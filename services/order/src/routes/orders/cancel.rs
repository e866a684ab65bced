//! `POST /api/v1/orders/{id}/cancel`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::OrderId;

use super::change::change;
use super::view;
use crate::error::Error;
use crate::state::State;

/// Cancel an order
///
/// Its stock goes back and, if it was paid, all of its money. Asked for twice, it is done once.
#[utoipa::path(
    post,
    path = "/{id}/cancel",
    tag = "orders",
    operation_id = "cancel_order",
    params(("id" = OrderId, Path, description = "The order")),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The order, cancelled", body = view::Order),
        (status = 404, description = "`order_not_found`: you have no such order", body = Problem),
        (status = 409, description = "`order_state`: it has been sent, or has ended otherwise", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    Path(id): Path<OrderId>,
) -> Result<Json<view::Order>, Error> {
    let order = change(&state, &caller, id, |order| order.cancel(state.clock.now())).await?;
    Ok(Json(order.into()))
}
