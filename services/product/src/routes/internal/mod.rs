//! What other services ask; never routed by the gateway.

mod products;

use axum::Router;
use axum::routing::get;
use ecommerce_contract::catalogue;

use crate::state::State;

pub(super) fn router() -> Router<State> {
    Router::new().route(catalogue::PATH, get(products::handler))
}
