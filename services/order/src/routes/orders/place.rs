//! `POST /api/v1/orders`

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::{Method, StatusCode};
use ecommerce_contract::Envelope;
use ecommerce_contract::catalogue::{self, Orderable};
use ecommerce_http::extract::{IdempotencyKey, Json};
use ecommerce_http::{Caller, Customer, Problem};
use ecommerce_idempotency::{self as idempotency, Scope, StoredAnswer};
use ecommerce_postgres::Pool;
use ecommerce_runtime::request_id;
use ecommerce_types::{OrderId, new_id_at};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::view;
use crate::domain::{Draft, Item, Metadata, Order};
use crate::error::Error;
use crate::metrics::ORDERS_PLACED;
use crate::state::State;
use crate::store::{self, Placement};

/// What to order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrder)]
pub(super) struct Request {
    /// 1 to 100 items, each of another product.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<Item>,
    /// A method of the payment provider; charged as soon as the stock is reserved. Without one, pay later.
    #[serde(default)]
    #[schema(max_length = 255, example = "tok_success")]
    payment_method: Option<String>,
    /// What is to be written on it.
    #[serde(default)]
    metadata: Metadata,
}

/// Place an order
///
/// At the catalogue's present prices. Sent again with the same key, it is placed once.
#[utoipa::path(
    post,
    path = "",
    tag = "orders",
    operation_id = "place_order",
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters that name this order, such as a UUID")),
    security(("access_token" = [])),
    responses(
        (status = 201, description = "The order; its stock is being reserved", body = view::Order),
        (status = 422, description = "`invalid_items`: not 1 to 100 items; `duplicate_product`: a product stands in two of them; `unknown_product`: not for sale; `mixed_currencies`: prices in more than one currency; `total_too_large`: more than can be written down; `invalid_payment_method`: no token of a provider", body = Problem),
        (status = 503, description = "`catalogue_unavailable` or `database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    key: IdempotencyKey,
    Json(request): Json<Request>,
) -> Result<StoredAnswer, Error> {
    let scope = Scope::new(&caller, &Method::POST, "/api/v1/orders", &key, &request)?;
    let draft = Draft::new(request.items, request.payment_method, request.metadata)?;
    let order = match price(&state, &caller, draft).await {
        Ok(order) => order,
        // An order that was taken is answered as it was, whatever has become of the catalogue since.
        Err(error) => return earlier(&state, &scope).await?.ok_or(error),
    };
    let answer = StoredAnswer::json(StatusCode::CREATED, &view::Order::from(order.clone()))?;
    let told = Envelope::new(&state.clock, request_id::current(), order.placed());
    let placement = Arc::new(Placement { order, told, scope, answer });
    let is_placed = state.placing.run(Arc::clone(&placement), |placements| place_all(&state.pool, placements)).await?;
    if !is_placed {
        return Ok(earlier(&state, &placement.scope).await?.ok_or(idempotency::Error::Running)?);
    }
    state.outgoing.send([placement.told.clone()]);
    ORDERS_PLACED.increment([]);
    tracing::info!(order.id = %placement.order.id, "placed an order");
    Ok(placement.answer.clone())
}

async fn place_all(pool: &Pool, placements: Vec<Arc<Placement>>) -> Result<Vec<bool>, sqlx::Error> {
    pool.run(async |connection: &mut PgConnection| store::place(connection, &placements).await).await
}

/// What was answered to an earlier request with this key.
async fn earlier(state: &State, scope: &Scope) -> Result<Option<StoredAnswer>, Error> {
    Ok(state.pool.run(async |connection: &mut PgConnection| idempotency::find(connection, scope).await).await?)
}

/// The order at the catalogue's present prices. No connection waits for the other service meanwhile.
async fn price(state: &State, caller: &Caller, draft: Draft) -> Result<Order, Error> {
    let catalogue = prices(state, &draft).await?;
    // One moment for both: lists by the time of placing go by the id.
    let now = state.clock.now();
    Ok(draft.price(&catalogue, OrderId(new_id_at(now)), caller.user_id, now, state.time_to_pay)?)
}

async fn prices(state: &State, draft: &Draft) -> Result<Vec<Orderable>, Error> {
    let ids: Vec<String> = draft.products().map(|id| id.to_string()).collect();
    Ok(state.product.get(catalogue::PATH, &[("ids", ids.join(","))]).await?)
}
