//! `POST /api/v1/auth/login`

use axum::extract::State as Shared;
use axum::http::{HeaderName, header};
use ecommerce_http::Problem;
use ecommerce_http::extract::Json;
use ecommerce_redis::Session;
use ecommerce_runtime::ErrorChain;
use ecommerce_token::{Claims, LIFETIME};
use ecommerce_types::{Email, SessionId};
use serde::{Deserialize, Serialize};

use crate::domain::{Cost, PasswordAttempt};
use crate::metrics::LOGINS;
use crate::state::State;
use crate::store::users::{self, Account};
use crate::{Error, store};

/// Who wants to log in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    /// The address of the account.
    email: Email,
    /// The password of the account.
    password: PasswordAttempt,
}

/// A way in, for a while.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of RFC 6749, section 5.1")]
pub(super) struct AccessToken {
    /// Goes into `authorization: Bearer …`.
    access_token: String,
    /// How it is used.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds for which it is good.
    #[schema(example = 600)]
    expires_in: i64,
}

/// Log in
///
/// Begins a session and gives an access token for it. An unknown address is answered like a wrong password.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "auth",
    operation_id = "log_in",
    responses(
        (status = 200, description = "A way in, for a while", body = AccessToken),
        (status = 401, description = "`wrong_credentials`: the address or the password is wrong", body = Problem),
        (status = 503, description = "`busy`: too many log in or register at this moment; `sessions_unavailable` or `database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    Json(credentials): Json<Credentials>,
) -> Result<([(HeaderName, &'static str); 1], Json<AccessToken>), Error> {
    let account = users::account(&state.pool, &credentials.email).await?;
    let hash = account.as_ref().map(|account| &account.password_hash);
    let fits = state.hashing.fits(credentials.password.clone(), hash).await?;
    LOGINS.increment([if fits { "accepted" } else { "refused" }]);
    let account = account.filter(|_| fits).ok_or(Error::WrongCredentials)?;

    let session = begin_session(&state, &account).await?;
    if account.password_hash.cost()? != Cost::TODAY {
        hash_again(&state, &account, credentials.password).await;
    }
    let claims = Claims::new(&state.token, account.id, session, account.roles_version, account.roles, &state.clock);
    tracing::info!(user.id = %account.id, session.id = %session, "began a session");
    let token = AccessToken {
        access_token: state.signer.sign(&claims)?,
        token_type: "Bearer",
        expires_in: LIFETIME.whole_seconds(),
    };
    // RFC 6749, section 5.1: a token is in no cache.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(token)))
}

/// Only at a login is there a password to hash at today's cost. The login stands whether it is done or not.
async fn hash_again(state: &State, account: &Account, proven: PasswordAttempt) {
    let done = async {
        let hash = state.hashing.hash_again(proven).await?;
        users::replace_hash(&state.pool, account.id, &account.password_hash, &hash).await?;
        Ok::<(), Error>(())
    };
    match done.await {
        Ok(()) => tracing::info!(user.id = %account.id, "hashed a password anew at today's cost"),
        Err(error) => {
            tracing::warn!(user.id = %account.id, error = %ErrorChain(&error), "unable to hash a password anew; the next login tries");
        }
    }
}

/// PostgreSQL first, then Redis. When Redis does not take the session it has ended before anybody has heard of it.
async fn begin_session(state: &State, account: &Account) -> Result<SessionId, Error> {
    let id = SessionId::new(&state.clock);
    let now = state.clock.now();
    store::sessions::insert(&state.pool, id, account.id, now, now + state.session_lifetime).await?;
    let session = Session { user_id: account.id, roles_version: account.roles_version };
    if let Err(error) = state.sessions.put(id, &session, state.session_lifetime.unsigned_abs()).await {
        // What became of the session in Redis is not known; its ending is told there later.
        store::sessions::end(&state.pool, id, account.id, state.clock.now()).await?;
        state.unpublished.notify();
        return Err(Error::SessionsUnavailable(error));
    }
    Ok(id)
}
