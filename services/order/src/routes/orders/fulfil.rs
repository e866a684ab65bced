//! `POST /api/v1/orders/{id}/fulfil`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_types::OrderId;

use super::{change, view};
use crate::error::Error;
use crate::state::State;

/// Marks a paid order as sent. For staff.
#[utoipa::path(
    post,
    path = "/{id}/fulfil",
    tag = "orders",
    params(("id" = OrderId, Path)),
    responses(
        (status = 200, body = view::Order),
        (status = 403, description = "you are not staff", body = Problem),
        (status = 404, description = "there is no such order", body = Problem),
        (status = 409, description = "it is not paid", body = Problem),
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
