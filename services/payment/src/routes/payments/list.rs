//! `GET /api/v1/payments`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Query};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::{Cursor, Limit, OrderId, Page, PaymentId};
use serde::Deserialize;
use sqlx::PgConnection;

use crate::error::Error;
use crate::store::payments;
use crate::{State, view};

/// Which payments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The payment of this order alone.
    order_id: Option<OrderId>,
    /// How many payments a page holds.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List payments
///
/// Your own, newest first; for staff, everybody's.
#[utoipa::path(
    get,
    path = "",
    tag = "payments",
    operation_id = "list_payments",
    params(Parameters),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "A page of payments", body = Page<view::Payment>),
        (status = 400, description = "`invalid_cursor`: the cursor is not one of this list's", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page<view::Payment>>, Error> {
    let customer = (!caller.is_staff()).then_some(caller.user_id);
    let after: Option<PaymentId> = parameters.cursor.as_ref().map(Cursor::key).transpose()?;
    let list = async |connection: &mut PgConnection| {
        payments::list(connection, customer, parameters.order_id, after, parameters.limit).await
    };
    let found = state.attempts.pool.run(list).await?;
    let Page { items, next_cursor } = Page::of(found, parameters.limit, |(id, _)| *id);
    let items = items.into_iter().filter_map(|(_, payment)| Some(payment?.into())).collect();
    Ok(Json(Page { items, next_cursor }))
}
