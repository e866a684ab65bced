//! `GET /api/v1/auth/sessions`

use axum::extract::State as Shared;
use ecommerce_http::extract::Json;
use ecommerce_http::{Customer, Problem};
use ecommerce_types::Page;

use crate::Error;
use crate::domain::SessionView;
use crate::state::State;
use crate::store::sessions;

/// List my sessions
///
/// Where I am logged in, newest first; at most twenty.
#[utoipa::path(
    get,
    path = "/api/v1/auth/sessions",
    tag = "auth",
    operation_id = "list_sessions",
    security(("access_token" = [])),
    responses(
        (status = 200, description = "All sessions that stand", body = Page<SessionView>),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(in super::super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
) -> Result<Json<Page<SessionView>>, Error> {
    let mut items = sessions::of_user(&state.pool, caller.user_id, state.clock.now()).await?;
    for session in &mut items {
        session.is_present = session.id == caller.session_id;
    }
    Ok(Json(Page { items, next_cursor: None }))
}
