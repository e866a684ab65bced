//! `GET /api/v1/payments/{id}`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Customer, Problem};
use ecommerce_types::PaymentId;

use super::may_see;
use crate::error::Error;
use crate::store::payments;
use crate::{State, view};

/// One of your payments; for staff, anybody's.
#[utoipa::path(
    get,
    path = "/{id}",
    tag = "payments",
    operation_id = "read_payment",
    params(("id" = PaymentId, Path)),
    responses(
        (status = 200, body = view::Payment),
        (status = 404, description = "you have no such payment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Path(id): Path<PaymentId>,
    Customer(caller): Customer,
) -> Result<Json<view::Payment>, Error> {
    let mut connection = state.attempts.pool.acquire().await?;
    let payment = payments::find(&mut connection, id).await?;
    let payment = payment.filter(|payment| may_see(&caller, payment)).ok_or(Error::NotFound)?;
    Ok(Json(payment.into()))
}
