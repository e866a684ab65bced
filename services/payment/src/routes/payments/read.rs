//! `GET /api/v1/payments/{id}`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::PaymentId;
use sqlx::PgConnection;

use super::may_see;
use crate::error::Error;
use crate::store::payments;
use crate::{State, view};

/// Read a payment
///
/// One of your own; for staff, anybody's.
#[utoipa::path(
    get,
    path = "/{id}",
    tag = "payments",
    operation_id = "read_payment",
    params(("id" = PaymentId, Path, description = "The payment")),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The payment", body = view::Payment),
        (status = 404, description = "`payment_not_found`: you have no such payment", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Path(id): Path<PaymentId>,
    Customer(caller): Customer,
) -> Result<Json<view::Payment>, Error> {
    let find = async |connection: &mut PgConnection| payments::find(connection, id).await;
    let payment = state.attempts.pool.run(find).await?;
    let payment = payment.filter(|payment| may_see(&caller, payment)).ok_or(Error::NotFound)?;
    Ok(Json(payment.into()))
}
