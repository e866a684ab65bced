//! `GET /api/v1/orders`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Query};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::{Cursor, Limit, OrderId, Page};
use serde::Deserialize;
use sqlx::PgConnection;

use super::view;
use crate::error::Error;
use crate::state::State;
use crate::store;

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// How many orders a page holds.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List orders
///
/// Your own, newest first; for staff, everybody's.
#[utoipa::path(
    get,
    path = "",
    tag = "orders",
    operation_id = "list_orders",
    params(Parameters),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "A page of orders", body = Page<view::Order>),
        (status = 400, description = "`invalid_cursor`: the cursor is not one of this list's", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page<view::Order>>, Error> {
    let customer = (!caller.is_staff()).then_some(caller.user_id);
    let after: Option<OrderId> = parameters.cursor.as_ref().map(Cursor::key).transpose()?;
    let list = async |connection: &mut PgConnection| store::list(connection, customer, after, parameters.limit).await;
    let orders = state.pool.run(list).await?;
    Ok(Json(Page::of(orders, parameters.limit, |order| order.id).map(view::Order::from)))
}
