//! `POST /api/v1/users/{id}/disable`

use axum::extract::State as Shared;

use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Admin, Problem};
use ecommerce_types::UserId;

use crate::Error;
use crate::domain::User;
use crate::people;
use crate::state::State;

/// Disable a user
///
/// Nobody logs in with the account until it is enabled; all sessions end within a second.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/disable",
    tag = "users",
    operation_id = "disable_user",
    params(("id" = UserId, Path, description = "The user")),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The person", body = User),
        (status = 403, description = "`role_required`: this is for admins", body = Problem),
        (status = 404, description = "`user_not_found`: there is none with this id", body = Problem),
        (status = 409, description = "`last_admin`: make another admin first", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Admin(caller): Admin,
    Path(id): Path<UserId>,
) -> Result<Json<User>, Error> {
    Ok(Json(people::disable(&state, id, caller.user_id).await?))
}
