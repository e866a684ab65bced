//! `DELETE /api/v1/auth/sessions/{id}`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::extract::Path;
use ecommerce_http::{Customer, Problem};
use ecommerce_types::SessionId;

use crate::Error;
use crate::state::State;
use crate::store::sessions::{self, Change};

/// End one of my sessions
///
/// Logs out whoever uses it: its tokens are refused within a second.
#[utoipa::path(
    delete,
    path = "/api/v1/auth/sessions/{id}",
    tag = "auth",
    operation_id = "end_session",
    params(("id" = SessionId, Path, description = "The session")),
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 404, description = "`session_not_found`: I have none with this id that stands", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(in super::super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Error> {
    if !sessions::end(&state.pool, id, caller.user_id, state.clock.now()).await? {
        return Err(Error::SessionNotFound);
    }
    tracing::info!(user.id = %caller.user_id, session.id = %id, "ended a session");
    state.session_changes.tell(&[Change { id, stands: None }]).await;
    Ok(StatusCode::NO_CONTENT)
}
