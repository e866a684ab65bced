//! What becomes of people's accounts, by whom. Each is one transaction with what it means for their sessions, and then Redis is
//! told.

use ecommerce_types::{Role, Roles, UserId};
use sqlx::PgConnection;

use crate::Error;
use crate::domain::User;
use crate::state::State;
use crate::store::sessions::{self, Change};
use crate::store::{password_resets, users};

/// Gives a user other roles. Tokens with the ones of before are refused within a second, and a refresh gives one with these.
pub(crate) async fn change_roles(state: &State, id: UserId, roles: &Roles, by: UserId) -> Result<User, Error> {
    let now = state.clock.now();
    let change = async |transaction: &mut PgConnection| {
        let locked = users::lock_among_admins(transaction, id).await?;
        if locked.is_last_admin && !roles.include(Role::Admin) {
            return Err(Error::LastAdmin);
        }
        let mut changes = Vec::new();
        if locked.roles != *roles {
            users::change_roles(transaction, id, roles, now).await?;
            changes = sessions::republish(&mut *transaction, id).await?;
        }
        let user = users::find(&mut *transaction, id).await?.ok_or(Error::UserNotFound)?;
        Ok((locked.roles, user, changes))
    };
    let (before, user, changes) = state.pool.transaction(change).await?;
    if before != *roles {
        tracing::info!(user.id = %id, by = %by, roles = %roles, "changed the roles of a user");
    }
    state.session_changes.tell(&changes).await;
    Ok(user)
}

/// Keeps somebody out: all sessions end, and no login begins another one.
pub(crate) async fn disable(state: &State, id: UserId, by: UserId) -> Result<User, Error> {
    let now = state.clock.now();
    let change = async |transaction: &mut PgConnection| {
        if users::lock_among_admins(transaction, id).await?.is_last_admin {
            return Err(Error::LastAdmin);
        }
        users::disable(transaction, id, now).await?;
        password_resets::withdraw(&mut *transaction, id).await?;
        let ended = sessions::end_all(&mut *transaction, id, None, now).await?;
        let user = users::find(&mut *transaction, id).await?.ok_or(Error::UserNotFound)?;
        Ok((user, ended))
    };
    let (user, ended) = state.pool.transaction(change).await?;
    tracing::info!(user.id = %id, by = %by, sessions = ended.len(), "disabled a user and ended all sessions");
    state.session_changes.tell(&Change::endings(ended)).await;
    Ok(user)
}

/// Lets somebody log in again.
pub(crate) async fn enable(state: &State, id: UserId, by: UserId) -> Result<User, Error> {
    users::enable(&state.pool, id).await?;
    let user = users::find(&state.pool, id).await?.ok_or(Error::UserNotFound)?;
    tracing::info!(user.id = %id, by = %by, "enabled a user");
    Ok(user)
}

/// Takes the person out of an account, which stays as an id without one.
pub(crate) async fn delete(state: &State, id: UserId, by: UserId) -> Result<(), Error> {
    let now = state.clock.now();
    let change = async |transaction: &mut PgConnection| {
        if users::lock_among_admins(transaction, id).await?.is_last_admin {
            return Err(Error::LastAdmin);
        }
        let ended = sessions::end_all(&mut *transaction, id, None, now).await?;
        password_resets::withdraw(&mut *transaction, id).await?;
        users::delete(transaction, id, now).await?;
        Ok(ended)
    };
    let ended = state.pool.transaction(change).await?;
    tracing::info!(user.id = %id, by = %by, sessions = ended.len(), "deleted a person's account and ended all sessions");
    state.session_changes.tell(&Change::endings(ended)).await;
    Ok(())
}
