//! `GET /api/v1/payments`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Query};
use ecommerce_http::{Caller, Problem};
use ecommerce_types::{Cursor, Limit, OrderId, Page, PaymentId, Role};
use serde::Deserialize;

use crate::error::Error;
use crate::store::payments;
use crate::{State, view};

/// Which payments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The payment of this order alone.
    order_id: Option<OrderId>,
    /// How many payments; 20 when absent.
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    cursor: Option<Cursor>,
}

/// Your payments, newest first; for staff, everybody's.
#[utoipa::path(
    get,
    path = "",
    tag = "payments",
    operation_id = "list_payments",
    params(Parameters),
    responses(
        (status = 200, body = Page<view::Payment>),
        (status = 400, description = "no such page", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page<view::Payment>>, Error> {
    let customer = (!caller.roles.include(Role::Staff)).then_some(caller.user_id);
    let after: Option<PaymentId> = parameters.cursor.as_ref().map(Cursor::key).transpose()?;
    let mut connection = state.attempts.pool.acquire().await?;
    let found = payments::list(&mut connection, customer, parameters.order_id, after, parameters.limit).await?;
    Ok(Json(Page::of(found, parameters.limit, |payment| payment.id).map(view::Payment::from)))
}
