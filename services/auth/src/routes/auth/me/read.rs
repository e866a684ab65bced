//! `GET /api/v1/auth/me`

use axum::extract::State as Shared;
use ecommerce_http::extract::Json;
use ecommerce_http::{Customer, Problem};

use crate::Error;
use crate::domain::User;
use crate::state::State;
use crate::store::users;

/// Read who I am
///
/// The person of the access token.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    operation_id = "read_me",
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The person", body = User),
        (status = 401, description = "`session_ended`: log in again", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(in super::super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
) -> Result<Json<User>, Error> {
    // PostgreSQL knows of a session's end before Redis does, so it is asked here once more.
    let user = users::of_session(&state.pool, caller.session_id, caller.user_id, state.clock.now()).await?;
    user.map(Json).ok_or(Error::SessionEnded)
}
