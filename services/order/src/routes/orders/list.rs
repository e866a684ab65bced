//! `GET /api/v1/orders`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Query};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::{Cursor, Limit, OrderId, Page};
use serde::Deserialize;
use sqlx::PgConnection;

use super::filter::{self, Asked};
use super::view;
use crate::domain::{Order, Status};
use crate::error::Error;
use crate::state::State;
use crate::store;

/// Which orders, and which page of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// How many orders a page holds at most.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
    /// Only those that stand there.
    #[param(inline, value_type = Option<Status>)]
    status: Option<String>,
    /// Only this customer's. For staff; a customer's list holds own orders and no others.
    #[param(format = "uuid")]
    customer_id: Option<String>,
    /// Only those that were placed at this time or later (RFC 3339; a `+` in it is sent as `%2B`).
    #[param(format = "date-time")]
    placed_after: Option<String>,
    /// Only those that were placed before this time.
    #[param(format = "date-time")]
    placed_before: Option<String>,
    /// Only the order with this id, or those of this sku. Exactly it: no pattern, no part.
    q: Option<String>,
}

/// List orders
///
/// Your own, newest first; for staff, everybody's. An order is on the list when all parameters fit it. A page may hold fewer orders than
/// asked for, where some have moved on meanwhile or a time is finer than milliseconds; the last page is the one without `next_cursor`.
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
        (status = 422, description = "`invalid_filter`: a parameter is none of what it may be; the detail names it", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page<view::Order>>, Error> {
    let Parameters { limit, cursor, status, customer_id, placed_after, placed_before, q } = parameters;
    let after: Option<OrderId> = cursor.as_ref().map(Cursor::key).transpose()?;
    let words = filter::Words { status, customer_id, placed_after, placed_before, q };
    let Some(asked) = words.read(&caller)? else {
        return Ok(Json(Page { items: Vec::new(), next_cursor: None }));
    };
    let page = async |connection: &mut PgConnection| page(connection, &asked, after, limit).await;
    Ok(Json(state.pool.run(page).await?.map(view::Order::from)))
}

async fn page(
    connection: &mut PgConnection,
    asked: &Asked,
    after: Option<OrderId>,
    limit: Limit,
) -> Result<Page<Order>, Error> {
    let Asked { filter, id, sku } = asked;
    if let Some(id) = id {
        let found = store::find(connection, *id).await?;
        let found = found.filter(|order| filter.admits(order) && after.is_none_or(|after| order.id < after));
        if found.is_some() || sku.is_none() {
            return Ok(Page { items: found.into_iter().collect(), next_cursor: None });
        }
    }
    let Page { items: ids, next_cursor } =
        Page::of(store::list(connection, filter, sku.as_ref(), after, limit).await?, limit, |id| *id);
    let mut items = store::find_readable(connection, &ids).await?;
    items.retain(|order| filter.admits(order));
    items.sort_unstable_by_key(|order| std::cmp::Reverse(order.id));
    Ok(Page { items, next_cursor })
}
