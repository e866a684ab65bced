//! `GET /api/v1/users/{id}`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Problem, Staff};
use ecommerce_types::UserId;

use crate::Error;
use crate::domain::User;
use crate::state::State;
use crate::store::users;

/// Read a user
///
/// Whose order it is: name and address, for staff.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    tag = "users",
    operation_id = "read_user",
    params(("id" = UserId, Path, description = "The user")),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The person", body = User),
        (status = 403, description = "`role_required`: this is for staff", body = Problem),
        (status = 404, description = "`user_not_found`: there is none with this id, or the account was deleted", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    _staff: Staff,
    Path(id): Path<UserId>,
) -> Result<Json<User>, Error> {
    users::find(&state.pool, id).await?.map(Json).ok_or(Error::UserNotFound)
}
