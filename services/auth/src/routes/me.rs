//! `GET /api/v1/auth/me`

use axum::extract::State as Shared;
use ecommerce_http::extract::Json;
use ecommerce_http::{Customer, Problem};

use crate::Error;
use crate::domain::User;
use crate::state::State;
use crate::store::users;

/// The user of the token. PostgreSQL knows of a session's end before Redis does, so it is asked here once more.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    responses(
        (status = 200, description = "the user", body = User),
        (status = 401, description = "not logged in, or the session has ended", body = Problem),
        (status = 503, description = "the database is away", body = Problem),
    )
)]
pub(super) async fn handler(Shared(state): Shared<State>, Customer(caller): Customer) -> Result<Json<User>, Error> {
    let user = users::of_session(&state.pool, caller.session_id, caller.user_id, state.clock.now()).await?;
    user.map(Json).ok_or(Error::SessionEnded)
}
