//! `POST /api/v1/auth/refresh`

use axum::extract::State as Shared;
use ecommerce_http::Problem;
use ecommerce_http::extract::Json;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::Error;
use crate::state::State;
use crate::tokens::{self, Tokens};

/// Who wants to stay logged in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// The last refresh token of the session.
    refresh_token: Given,
}

/// A refresh token as a client gives it. It does not print.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, example = "AZkBI0VniavNAAAAAAAAAAAAOeA3JwvPq1v2Qm1rb3y6a4qDkV0yM2l9b0E5oYc3m8lU5w")]
struct Given(SecretString);

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Stay logged in
///
/// Gives the next access token, with the roles of now, and the next refresh token; the one that was given is used up. Given once
/// more within ten seconds it gets the same successor, as the answer may have been lost. Given later it has been copied, and the
/// session ends.
#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh",
    tag = "auth",
    operation_id = "refresh",
    responses(
        (status = 200, description = "The next way in", body = Tokens),
        (status = 401, description = "`session_ended`: log in again", body = Problem),
        (status = 503, description = "`busy`, `sessions_unavailable` or `database_unavailable`: try again in a moment, with the same token", body = Problem),
    )
)]
pub(super) async fn handler(Shared(state): Shared<State>, Json(refresh): Json<Refresh>) -> Result<Json<Tokens>, Error> {
    Ok(Json(tokens::refresh(&state, refresh.refresh_token.0.expose_secret()).await?))
}
