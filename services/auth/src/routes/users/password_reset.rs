//! `POST /api/v1/users/{id}/password-reset`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::extract::{Json, Path};
use ecommerce_http::{Admin, Problem};
use ecommerce_types::UserId;
use serde::Serialize;
use time::OffsetDateTime;

use crate::state::State;
use crate::store::users;
use crate::{Error, links};

/// A link to hand over.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Link {
    /// What sets a password, once: to be given with it to `POST /api/v1/auth/password/reset`.
    token: String,
    /// The page with the token; absent where `spec.mail.resetUrl` is: hand the token over.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Until when it is good.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Make a link for a user
///
/// Whoever has it sets the user's password, once within 30 minutes: hand it over in person. The password of now stands until
/// then.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/password-reset",
    tag = "users",
    operation_id = "make_password_link",
    params(("id" = UserId, Path, description = "The user")),
    security(("access_token" = [])),
    responses(
        (status = 201, description = "The link; it is not shown again", body = Link),
        (status = 403, description = "`role_required`: this is for admins", body = Problem),
        (status = 404, description = "`user_not_found`: there is none with this id", body = Problem),
        (status = 503, description = "`database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Admin(caller): Admin,
    Path(id): Path<UserId>,
) -> Result<(StatusCode, Json<Link>), Error> {
    let user = users::find(&state.pool, id).await?.ok_or(Error::UserNotFound)?;
    let (token, expires_at) = links::make(&state.pool, &state.clock, user.id).await?;
    tracing::info!(user.id = %id, admin.id = %caller.user_id, "an admin has made a link to set a user's password");
    let url = state.reset_url.as_ref().map(|url| url.with(&token));
    Ok((StatusCode::CREATED, Json(Link { token: token.expose().to_owned(), url, expires_at })))
}
