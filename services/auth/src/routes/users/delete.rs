//! `DELETE /api/v1/users/{id}`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::extract::Path;
use ecommerce_http::{Admin, Problem};
use ecommerce_types::UserId;

use crate::Error;

use crate::people;
use crate::state::State;

/// Delete a user
///
/// Name, address and password are gone, and all sessions have ended; the address can register again. Orders stay, under an id that
/// is nobody's.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    tag = "users",
    operation_id = "delete_user",
    params(("id" = UserId, Path, description = "The user")),
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The account is gone"),
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
) -> Result<StatusCode, Error> {
    people::delete(&state, id, caller.user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
