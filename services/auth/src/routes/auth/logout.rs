//! `POST /api/v1/auth/logout`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::{Customer, Problem};

use crate::Error;
use crate::state::State;
use crate::store::sessions::{self, Change};

/// Log out
///
/// Ends the session of the access token, and its tokens with it. Done twice, it is as done once.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    operation_id = "log_out",
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(Shared(state): Shared<State>, Customer(caller): Customer) -> Result<StatusCode, Error> {
    let (id, user) = (caller.session_id, caller.user_id);
    if !sessions::end(&state.pool, id, user, state.clock.now()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    tracing::info!(user.id = %user, session.id = %id, "ended a session");
    state.session_changes.tell(&[Change { id, stands: None }]).await;
    Ok(StatusCode::NO_CONTENT)
}
