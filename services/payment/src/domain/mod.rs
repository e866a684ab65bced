//! What a payment is and what becomes of it. Nothing here waits, and nothing here knows SQL, HTTP or a provider.

mod attempt;
mod method;
mod payment;
mod transition;

pub use attempt::{AttemptId, ChargeOutcome, Origin};
pub use method::PaymentMethod;
pub use payment::{NotPayable, Payment, Status};
pub use transition::{Effect, MOST_DECLINES};
