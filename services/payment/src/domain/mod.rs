//! What a payment is and what becomes of it. Nothing here waits, and nothing here knows SQL, HTTP or a provider.

mod attempt;
pub(crate) mod card_testing;
mod method;
mod payment;
mod transition;
pub(crate) mod voided;

pub(crate) use attempt::{ANSWERS_KEPT, Attempt, AttemptId, ChargeOutcome, Kind, Origin, Outcome};
pub(crate) use card_testing::TooManyDeclines;
pub(crate) use method::PaymentMethod;
pub(crate) use payment::{NotPayable, Payment, Status};
pub(crate) use transition::GiveBack;
