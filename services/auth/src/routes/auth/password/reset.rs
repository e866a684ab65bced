//! `POST /api/v1/auth/password/reset`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::Problem;
use ecommerce_http::extract::Json;
use serde::Deserialize;
use sqlx::PgConnection;

use crate::Error;
use crate::domain::{Password, ResetToken};
use crate::routes::client::Address;
use crate::state::State;
use crate::store::sessions::Change;
use crate::store::{accounts, password_resets, sessions};

/// A password that is set with a link.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Reset {
    /// What the link carries.
    token: ResetToken,
    /// The password from now on.
    password: Password,
}

/// Set a password with a link
///
/// Uses the link up, and any other of this account; all sessions end. Log in next.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password/reset",
    tag = "auth",
    operation_id = "reset_password",
    responses(
        (status = 204, description = "The password is the new one"),
        (status = 422, description = "`invalid_reset_token`: used, too old, or none of ours; `invalid_body`: the password is not good enough, and the link stays good", body = Problem),
        (status = 429, description = "`too_many_attempts`: of this address", body = Problem),
        (status = 503, description = "`busy` or `database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(in super::super) async fn handler(
    Shared(state): Shared<State>,
    Address(address): Address,
    Json(reset): Json<Reset>,
) -> Result<StatusCode, Error> {
    let trier = state.throttle.making(address)?;
    let token_hash = reset.token.hash();
    let user = password_resets::user_of(&state.pool, &token_hash, state.clock.now()).await?;
    let account = match user {
        Some(user) => accounts::of(&state.pool, user).await?,
        None => None,
    };
    let account = account.ok_or(Error::InvalidResetToken)?;
    state.policy.check(&reset.password, &account.email, &account.name).map_err(Error::Password)?;
    let hash = state.hashing.hash(trier, reset.password).await?;

    let now = state.clock.now();
    let before = account.password.map(|(_, since)| since);
    let change = async |transaction: &mut PgConnection| {
        let is_set = accounts::set_password(&mut *transaction, account.id, before, &hash, now).await?
            && password_resets::use_up(transaction, &token_hash, account.id).await?;
        if !is_set {
            return Err(Error::InvalidResetToken);
        }
        Ok(sessions::end_all(&mut *transaction, account.id, None, now).await?)
    };
    let ended = state.pool.transaction(change).await?;
    tracing::info!(user.id = %account.id, sessions = ended.len(), "set a password with a link and ended all sessions");
    state.session_changes.tell(&Change::endings(ended)).await;
    Ok(StatusCode::NO_CONTENT)
}
