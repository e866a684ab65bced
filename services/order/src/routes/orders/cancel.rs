//! `POST /api/v1/orders/{id}/cancel`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::OrderId;

use super::{change, view};
use crate::error::Error;
use crate::state::State;

/// Calls an order off: its stock goes back and, if it was paid, all of its money. Asked for twice, it is done once.
#[utoipa::path(
    post,
    path = "/{id}/cancel",
    tag = "orders",
    params(("id" = OrderId, Path)),
    responses(
        (status = 200, body = view::Order),
        (status = 404, description = "you have no such order", body = Problem),
        (status = 409, description = "it has ended otherwise", body = Problem),
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
