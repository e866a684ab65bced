//! `GET /api/v1/orders`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Query};
use ecommerce_http::{Caller, Problem};
use ecommerce_types::{Cursor, Limit, OrderId, Page, Role};
use serde::Deserialize;

use super::view;
use crate::State;
use crate::error::Error;
use crate::store;

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// How many orders; 20 when absent.
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    cursor: Option<Cursor>,
}

/// Your orders, newest first; for staff, everybody's.
#[utoipa::path(
    get,
    path = "",
    tag = "orders",
    params(Parameters),
    responses(
        (status = 200, body = Page<view::Order>),
        (status = 400, description = "no such page", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page<view::Order>>, Error> {
    let customer = (!caller.roles.include(Role::Staff)).then_some(caller.user_id);
    let after: Option<OrderId> = parameters.cursor.as_ref().map(Cursor::key).transpose()?;
    let mut connection = state.pool.acquire().await?;
    let orders = store::list(&mut connection, customer, after, parameters.limit).await?;
    Ok(Json(Page::of(orders, parameters.limit, |order| order.id).map(view::Order::from)))
}
