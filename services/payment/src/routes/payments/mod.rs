//! `/api/v1/payments`.

mod list;
mod pay;
mod read;

use ecommerce_http::Caller;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::Payment;
use crate::state::State;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list::handler)).routes(routes!(read::handler)).routes(routes!(pay::handler))
}

/// Whether this person may know of this payment.
fn may_see(caller: &Caller, payment: &Payment) -> bool {
    payment.customer_id == caller.user_id || caller.is_staff()
}
