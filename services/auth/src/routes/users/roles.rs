//! `PUT /api/v1/users/{id}/roles`

use axum::extract::State as Shared;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Admin, Problem};
use ecommerce_types::{Roles, UserId};
use serde::Deserialize;

use crate::Error;
use crate::domain::User;
use crate::people;
use crate::state::State;

/// What a user may do.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoles {
    /// All roles from now on, in place of those of before; at least one.
    #[schema(min_items = 1)]
    roles: Roles,
}

/// Change a user's roles
///
/// Tokens with the roles of before are refused within a second; a refresh gives one with these.
#[utoipa::path(
    put,
    path = "/api/v1/users/{id}/roles",
    tag = "users",
    operation_id = "change_roles",
    params(("id" = UserId, Path, description = "The user")),
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The person with these roles", body = User),
        (status = 403, description = "`role_required`: this is for admins", body = Problem),
        (status = 404, description = "`user_not_found`: there is none with this id", body = Problem),
        (status = 409, description = "`last_admin`: make another admin first", body = Problem),
        (status = 422, description = "`invalid_body`: no role, or one that there is not", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Admin(caller): Admin,
    Path(id): Path<UserId>,
    Json(new): Json<NewRoles>,
) -> Result<Json<User>, Error> {
    Ok(Json(people::change_roles(&state, id, &new.roles, caller.user_id).await?))
}
