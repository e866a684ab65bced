//! `POST /api/v1/auth/password`

use axum::extract::State as Shared;
use axum::http::StatusCode;
use ecommerce_http::extract::Json;
use ecommerce_http::{Customer, Problem};
use serde::Deserialize;
use sqlx::PgConnection;

use crate::Error;
use crate::domain::{Password, PasswordAttempt};
use crate::routes::client::Address;
use crate::state::State;
use crate::store::sessions::Change;
use crate::store::{accounts, password_resets, sessions};

/// Another password.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Passwords {
    /// The password of now: a token that was left lying about is not enough.
    current_password: PasswordAttempt,
    /// The password from now on.
    new_password: Password,
}

/// Change my password
///
/// All other sessions end; this one stands.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password",
    tag = "auth",
    operation_id = "change_password",
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The password is the new one"),
        (status = 401, description = "`session_ended`: log in again", body = Problem),
        (status = 422, description = "`wrong_password`: the present password is another; `invalid_body`: the new one is not good enough", body = Problem),
        (status = 429, description = "`too_many_attempts`: of this address, or at this account", body = Problem),
        (status = 503, description = "`busy` or `database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(in super::super) async fn handler(
    Shared(state): Shared<State>,
    Customer(caller): Customer,
    Address(address): Address,
    Json(passwords): Json<Passwords>,
) -> Result<StatusCode, Error> {
    let account = accounts::of(&state.pool, caller.user_id).await?.ok_or(Error::SessionEnded)?;
    let (hash, since) = account.password.as_ref().ok_or(Error::WrongPassword)?;
    state.policy.check(&passwords.new_password, &account.email, &account.name).map_err(Error::Password)?;
    let attempt = state.throttle.attempt(address, &account.email)?;
    let trier = attempt.trier;
    if !state.hashing.fits(trier, passwords.current_password, Some(hash)).await? {
        attempt.count();
        return Err(Error::WrongPassword);
    }
    drop(attempt);
    let new = state.hashing.hash(trier, passwords.new_password).await?;

    let now = state.clock.now();
    let change = async |transaction: &mut PgConnection| {
        if !accounts::set_password(&mut *transaction, account.id, Some(*since), &new, now).await? {
            return Err(Error::WrongPassword);
        }
        password_resets::withdraw(&mut *transaction, account.id).await?;
        Ok(sessions::end_all(&mut *transaction, account.id, Some(caller.session_id), now).await?)
    };
    let ended = state.pool.transaction(change).await?;
    tracing::info!(user.id = %account.id, sessions = ended.len(), "changed a password and ended the other sessions");
    state.session_changes.tell(&Change::endings(ended)).await;
    Ok(StatusCode::NO_CONTENT)
}
