//! `POST /api/v1/auth/login`

use axum::extract::State as Shared;
use ecommerce_http::Problem;
use ecommerce_http::extract::Json;
use ecommerce_runtime::ErrorChain;
use ecommerce_types::Email;
use serde::Deserialize;

use crate::Error;
use crate::domain::{Client, Cost, PasswordAttempt, PasswordHash};
use crate::metrics::LOGINS;
use crate::state::State;
use crate::store::accounts::{self, Account};
use crate::throttle::Trier;
use crate::tokens::{self, Tokens};

/// Who wants to log in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    /// The address of the account.
    email: Email,
    /// The password of the account.
    password: PasswordAttempt,
}

/// Log in
///
/// Begins a session, and gives an access token and the refresh token that gives the next. An unknown address is answered like a
/// wrong password, and so is a user who has been disabled. Of a person's sessions the twenty that began last stand.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "auth",
    operation_id = "log_in",
    responses(
        (status = 200, description = "A way in, for a while", body = Tokens),
        (status = 401, description = "`wrong_credentials`: the address or the password is wrong", body = Problem),
        (status = 429, description = "`too_many_attempts`: of this address, or at this account", body = Problem),
        (status = 503, description = "`busy`: too many log in or register at this moment; `sessions_unavailable` or `database_unavailable`: try again in a moment", body = Problem),
    )
)]
pub(super) async fn handler(
    Shared(state): Shared<State>,
    client: Client,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Tokens>, Error> {
    let attempt = state.throttle.attempt(client.address, &credentials.email).inspect_err(|_| {
        LOGINS.increment(["throttled"]);
    })?;
    let trier = attempt.trier;
    let account = accounts::with_email(&state.pool, &credentials.email).await?.filter(|account| !account.is_disabled);
    let hash = account.as_ref().and_then(|account| account.password.as_ref()).map(|(hash, _)| hash);
    let fits = state.hashing.fits(trier, credentials.password.clone(), hash).await?;
    LOGINS.increment([if fits { "accepted" } else { "refused" }]);
    let Some(account) = account.filter(|_| fits) else {
        attempt.count();
        return Err(Error::WrongCredentials);
    };
    drop(attempt);

    let tokens = tokens::begin(&state, &account, &client).await?;
    if let Some((hash, _)) = &account.password
        && hash.cost()? != Cost::TODAY
    {
        hash_again(&state, trier, &account, hash, credentials.password).await;
    }
    Ok(Json(tokens))
}

/// Only at a login is there a password to hash at today's cost. The login stands whether it is done or not.
async fn hash_again(state: &State, trier: Trier, account: &Account, old: &PasswordHash, proven: PasswordAttempt) {
    let done = async {
        let hash = state.hashing.hash_again(trier, proven).await?;
        accounts::replace_hash(&state.pool, account.id, old, &hash).await?;
        Ok::<(), Error>(())
    };
    match done.await {
        Ok(()) => tracing::info!(user.id = %account.id, "hashed a password anew at today's cost"),
        Err(error) => {
            tracing::warn!(user.id = %account.id, error = %ErrorChain(&error), "unable to hash a password anew; the next login tries");
        }
    }
}
