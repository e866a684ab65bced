//! What a customer who pays is answered. The answer is made where the result is recorded and stored in the same transaction,
//! by whichever process that is, so that the customer who asks again is told the same.

use axum::http::StatusCode;
use ecommerce_http::Problem;
use ecommerce_idempotency::StoredAnswer;
use time::OffsetDateTime;

use crate::domain::{ChargeOutcome, NotPayable, Payment, Status};
use crate::error::Error;
use crate::view;

/// The answer to a charge that has ended.
pub(crate) fn ended(
    payment: &Payment,
    outcome: &ChargeOutcome,
    now: OffsetDateTime,
    request_id: Option<String>,
) -> Result<StoredAnswer, serde_json::Error> {
    let mut problem = match outcome {
        ChargeOutcome::Captured if payment.status == Status::Captured => {
            return StoredAnswer::json(StatusCode::OK, &view::Payment::from(payment.clone()));
        }
        ChargeOutcome::Captured => closed_meanwhile(),
        ChargeOutcome::Declined(code) => declined(payment, code),
        ChargeOutcome::Abandoned | ChargeOutcome::Withheld => {
            Problem::from(Error::NotPayable(payment.chargeable(now).err().unwrap_or(NotPayable::Overdue)))
        }
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    problem.request_id = request_id;
    StoredAnswer::json(status, &problem)
}

/// The answer to a charge whose end is not known yet.
pub(crate) fn processing(payment: &Payment) -> Result<StoredAnswer, serde_json::Error> {
    StoredAnswer::json(StatusCode::ACCEPTED, &view::Payment::from(payment.clone()))
}

/// The order ended while the provider was at work.
fn closed_meanwhile() -> Problem {
    let detail = "the order of this payment was closed while it was being paid; what was charged goes back";
    Problem::new(StatusCode::CONFLICT, NotPayable::Closed.code(), detail)
}

fn declined(payment: &Payment, code: &str) -> Problem {
    let next = if payment.status == Status::AwaitingPayment {
        "choose another one"
    } else {
        "this payment is over; place the order again"
    };
    let detail = format!("the provider declined this payment method ({code}); {next}");
    Problem::new(StatusCode::PAYMENT_REQUIRED, "payment_declined", detail)
}
