//! `POST /api/v1/payments/{id}/pay`
//!
//! The charge's own row is the memory of the `Idempotency-Key`: it holds the key, the hash of the body and, from the moment
//! the result is recorded, the answer. A transaction cannot stay open while the provider is at work, so key and effect commit
//! before the call, and result and answer after it. A process that dies in between leaves an open charge; whoever takes it
//! over ends it and stores the answer, which the customer gets by asking again. Until then the key is in use: 409.
//!
//! What is refused before there is a charge has no effect, is not remembered, and may be asked again under the same key. That
//! goes for the 429 of a customer of whom [too many](crate::domain::card_testing) methods were declined too. The statement that
//! writes the charge counts them, under a lock of the customer: of any number of requests at once, each counts those before it.

use std::time::Instant;

use axum::extract::State as Shared;
use ecommerce_http::extract::{IdempotencyKey, Json, Path};
use ecommerce_http::{Caller, Customer, Problem};
use ecommerce_idempotency::{self as idempotency, StoredAnswer};
use ecommerce_runtime::request_id;
use ecommerce_types::PaymentId;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::may_see;
use crate::attempts::{Attempts, Known, Waiting};
use crate::domain::{ANSWERS_KEPT, Attempt, AttemptId, Kind, Origin, PaymentMethod, TooManyDeclines};
use crate::error::Error;
use crate::metrics::CHARGES_REFUSED;
use crate::store::attempts::{self, RequestName};
use crate::store::{asking, payments};
use crate::{State, view};

/// How to pay.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PayRequest)]
pub(super) struct Request {
    /// A method that the payment provider has given out.
    payment_method: PaymentMethod,
}

/// What to do about a request.
enum Begun {
    /// It is done already: the answer was this.
    Answered(StoredAnswer),
    /// A charge is written down and is ours to bring to its end.
    Charge(Box<Attempt>),
}

/// Pay
///
/// Charges the whole amount to this method. Sent again with the same key, it is charged once. Of one customer, 20 methods may be
/// declined within an hour, over all payments; then none is tried until the first of them is an hour old.
#[utoipa::path(
    post,
    path = "/{id}/pay",
    tag = "payments",
    operation_id = "pay_payment",
    params(
        ("id" = PaymentId, Path, description = "The payment"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters that name this attempt, such as a UUID")
    ),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The payment, captured", body = view::Payment),
        (status = 202, description = "The provider has not answered; read the payment to see how it ends", body = view::Payment),
        (status = 402, description = "`payment_declined`: the provider declined the method", body = Problem),
        (status = 404, description = "`payment_not_found`: you have no such payment", body = Problem),
        (status = 409, description = "`payment_captured`, `payment_failed`, `payment_closed` or `payment_overdue`: nothing is to be paid; `payment_processing`: another attempt is still running", body = Problem),
        (status = 422, description = "`unknown_payment_method`: the provider has not given it out", body = Problem),
        (status = 429, description = "`too_many_declines`: 20 methods of this customer were declined within an hour, or are being tried; `Retry-After` says when the next may be", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Path(id): Path<PaymentId>,
    Customer(caller): Customer,
    key: IdempotencyKey,
    Json(request): Json<Request>,
) -> Result<StoredAnswer, Error> {
    if !state.attempts.provider.knows(request.payment_method.as_str()) {
        return Err(Error::UnknownMethod);
    }
    let answer = match begin(&state, id, &caller, &key, request).await? {
        Begun::Answered(answer) => answer,
        Begun::Charge(charge) => {
            let in_hand = state.attempts.queue.hold(&charge);
            let waiting = Waiting { attempt: *charge, known: Known::Sound, since: Instant::now() };
            let answer = state.attempts.call(&waiting).await?;
            in_hand.over();
            // A charge that a customer has asked for has an answer; the row that should hold it is this request's own.
            answer.ok_or(sqlx::Error::RowNotFound)?
        }
    };
    Ok(answer)
}

/// Writes the charge, in one transaction with the request's name.
async fn begin(
    state: &State,
    id: PaymentId,
    caller: &Caller,
    key: &IdempotencyKey,
    request: Request,
) -> Result<Begun, Error> {
    let Attempts { clock, holder, pool, .. } = &state.attempts;
    let now = clock.now();
    let name = RequestName {
        user_id: caller.user_id,
        idempotency_key: key.as_str().to_owned(),
        hash: idempotency::fingerprint(&request).map_err(idempotency::Error::from)?,
    };
    let begin = async |transaction: &mut PgConnection| {
        let payment = payments::lock_with_customer(transaction, id).await?;
        let payment = payment.filter(|payment| may_see(caller, payment)).ok_or(Error::NotFound)?;
        if let Some(requested) = attempts::find_requested(transaction, id, &name, now - ANSWERS_KEPT).await? {
            if requested.hash != name.hash {
                return Err(idempotency::Error::Reused.into());
            }
            return requested.answer.map(Begun::Answered).ok_or(idempotency::Error::Running.into());
        }
        payment.payable(now)?;
        let method: String = request.payment_method.into();
        let charge = Attempt {
            key: AttemptId(clock.new_id()),
            payment_id: id,
            customer_id: payment.customer_id,
            amount: payment.amount,
            kind: Kind::Charge { method: method.clone(), origin: Origin::Customer },
            request_id: request_id::current(),
        };
        if !asking::ask(transaction, &charge, &method, &name, *holder, now).await? {
            let oldest = attempts::find_oldest_decline(transaction, payment.customer_id).await?;
            CHARGES_REFUSED.increment([]);
            return Err(TooManyDeclines::new(oldest, now).into());
        }
        Ok(Begun::Charge(Box::new(charge)))
    };
    pool.transaction(begin).await
}
