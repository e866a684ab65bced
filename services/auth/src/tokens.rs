//! Sessions and the tokens that are given for them.
//!
//! Redis comes first, for two seconds; then PostgreSQL decides, and only then Redis holds the session for an access token's life.
//! So nobody's only refresh token is used up for a session that Redis does not take. And what had ended meanwhile is not put back:
//! the last step lengthens what is there and revives nothing.

use std::time::Duration;

use ecommerce_redis::Session;
use ecommerce_token::{Claims, LIFETIME};
use ecommerce_types::{Roles, SessionId, UserId};
use serde::Serialize;
use sqlx::PgConnection;

use crate::Error;
use crate::domain::{Client, RefreshToken};
use crate::metrics::REFRESHES;
use crate::session_changes::HELD;
use crate::state::State;
use crate::store::accounts::Account;
use crate::store::sessions::{self, Change, Standing};

/// How long the token before the good one gets the same successor: its answer may have been lost on the way.
const GRACE: time::Duration = time::Duration::seconds(10);

/// How long Redis holds a session that PostgreSQL has not decided on.
const UNDECIDED: Duration = Duration::from_secs(2);
/// How often a refresh is tried that others come before.
const ATTEMPTS: usize = 5;

/// A way in for a while, and the way to the next.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Tokens {
    /// Goes into `authorization: Bearer …`.
    access_token: String,
    /// How it is used.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds for which the access token is good.
    #[schema(example = 600)]
    expires_in: i64,
    /// Gives the next tokens, once; for whoever stays logged in.
    refresh_token: String,
}

/// Begins a session of whoever has proven the password of this account.
pub(crate) async fn begin(state: &State, account: &Account, client: &Client) -> Result<Tokens, Error> {
    let id = SessionId::new(&state.clock);
    hold(state, id, account.id, account.roles_version).await?;
    let begun = insert(state, id, account, client).await;
    if !matches!(begun, Ok(Some(_))) {
        release(state, id).await;
    }
    let surplus = begun?.ok_or(Error::WrongCredentials)?;
    keep(state, id).await;
    state.session_changes.tell(&Change::endings(surplus)).await;
    tracing::info!(user.id = %account.id, session.id = %id, "began a session");
    give(state, RefreshToken { session: id, generation: 0 }, account.id, account.roles_version, &account.roles)
}

async fn insert(
    state: &State,
    id: SessionId,
    account: &Account,
    client: &Client,
) -> Result<Option<Vec<SessionId>>, Error> {
    let now = state.clock.now();
    let expires_at = now + state.session_lifetime;
    let begin =
        async |transaction: &mut PgConnection| sessions::begin(transaction, id, account, client, now, expires_at).await;
    Ok(state.pool.transaction(begin).await?)
}

/// Gives the next tokens for a refresh token that is good, or the same once more for the one before. An older one has been
/// copied: whoever holds the session, it ends.
pub(crate) async fn refresh(state: &State, token: &str) -> Result<Tokens, Error> {
    let Some(token) = state.keys.refresh().read(token) else {
        REFRESHES.increment(["refused"]);
        return Err(Error::SessionEnded);
    };
    // Of many that come at once one is the first, and the others find its successor; and roles may change meanwhile.
    for _ in 0..ATTEMPTS {
        let now = state.clock.now();
        let standing = sessions::standing(&state.pool, token.session, now).await?;
        let Some(standing) = standing.filter(|standing| token.generation <= standing.generation) else {
            release(state, token.session).await;
            REFRESHES.increment(["refused"]);
            return Err(Error::SessionEnded);
        };
        let behind = standing.generation - token.generation;
        if behind > 1 || behind == 1 && now - standing.refreshed_at > GRACE {
            reused(state, token.session, &standing).await?;
            return Err(Error::SessionEnded);
        }
        hold(state, token.session, standing.user_id, standing.roles_version).await?;
        // Only now is it sure that what Redis holds has not ended meanwhile.
        let stands = if behind == 0 {
            sessions::rotate(&state.pool, token.session, &standing, now).await?
        } else {
            sessions::stands_as(&state.pool, token.session, &standing, now).await?
        };
        if stands {
            keep(state, token.session).await;
            REFRESHES.increment([if behind == 0 { "rotated" } else { "repeated" }]);
            let next = RefreshToken { generation: token.generation + 1, ..token };
            return give(state, next, standing.user_id, standing.roles_version, &standing.roles);
        }
    }
    Err(Error::Busy)
}

async fn reused(state: &State, session: SessionId, standing: &Standing) -> Result<(), Error> {
    if sessions::end(&state.pool, session, standing.user_id, state.clock.now()).await? {
        tracing::warn!(user.id = %standing.user_id, session.id = %session, "ended a session whose refresh token was used twice");
        REFRESHES.increment(["reused"]);
        state.session_changes.tell(&[Change { id: session, stands: None }]).await;
    }
    Ok(())
}

/// Has Redis hold a session until PostgreSQL has decided.
async fn hold(state: &State, id: SessionId, user_id: UserId, roles_version: i32) -> Result<(), Error> {
    let session = Session { user_id, roles_version };
    state.sessions.put(id, &session, UNDECIDED).await.map_err(Error::SessionsUnavailable)
}

/// Has Redis hold what it holds for the life of an access token. Where that fails the next refresh does it.
async fn keep(state: &State, id: SessionId) {
    if let Err(error) = state.sessions.keep(id, HELD.unsigned_abs()).await {
        tracing::debug!(%error, session.id = %id, "unable to have a session kept");
    }
}

/// Takes out of Redis what PostgreSQL does not stand for. Where that fails it goes by itself.
async fn release(state: &State, id: SessionId) {
    if let Err(error) = state.sessions.remove(&[id]).await {
        tracing::debug!(%error, session.id = %id, "unable to take out a session that does not stand");
    }
}

fn give(
    state: &State,
    refresh: RefreshToken,
    user: UserId,
    roles_version: i32,
    roles: &Roles,
) -> Result<Tokens, Error> {
    let claims = Claims::new(&state.token, user, refresh.session, roles_version, roles.clone(), &state.clock);
    Ok(Tokens {
        access_token: state.keys.signer().sign(&claims)?,
        token_type: "Bearer",
        expires_in: LIFETIME.whole_seconds(),
        refresh_token: state.keys.refresh().text(refresh),
    })
}
