//! The first admin: the one user that nobody registers. Made at the start where there is no such user, and never changed:
//! whoever has changed the password since keeps the new one.

use std::time::Duration;

use ecommerce_runtime::{ErrorChain, Shutdown};
use ecommerce_types::{Email, Invalid, Role, UserId};
use secrecy::ExposeSecret as _;
use tokio::time::MissedTickBehavior;

use crate::Error;
use crate::config::Admin;
use crate::domain::{Password, PersonName, Policy, User};
use crate::state::State;
use crate::store::users;

/// How long to wait for the database before trying again.
const AGAIN: Duration = Duration::from_secs(1);

/// The address and the password with which the first admin logs in.
#[derive(Debug)]
pub(crate) struct FirstAdmin {
    email: Email,
    password: Password,
    name: PersonName,
}

impl FirstAdmin {
    /// The one that the settings name, if they do.
    pub(crate) fn from(admin: Admin, policy: &Policy) -> Result<Option<Self>, Invalid> {
        let (Some(email), Some(password)) = (admin.admin_email, admin.admin_password) else { return Ok(None) };
        let (password, name) = (password.expose_secret().to_owned().try_into()?, "Admin".to_owned().try_into()?);
        policy.check(&password, &email, &name)?;
        Ok(Some(Self { email, password, name }))
    }

    /// Makes the user where there is none; false when the database is away.
    pub(crate) async fn is_made(&self, state: &State) -> bool {
        match self.ensure(state).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "unable to make the first admin; trying again");
                false
            }
        }
    }

    /// Tries until the database is there; then waits for the end like any other task.
    pub(crate) async fn make(self, state: State, shutdown: Shutdown) {
        let mut tick = tokio::time::interval(AGAIN);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.stopped() => return,
                _ = tick.tick() => {}
            }
            if self.is_made(&state).await {
                break;
            }
        }
        shutdown.stopped().await;
    }

    async fn ensure(&self, state: &State) -> Result<(), Error> {
        if let Some(account) = users::account(&state.pool, &self.email).await? {
            if !account.roles.include(Role::Admin) {
                tracing::warn!(user.id = %account.id, "ADMIN_EMAIL is the address of a user who is no admin, and stays one");
            }
            return Ok(());
        }
        let password_hash = state.hashing.hash(self.password.clone()).await?;
        let user = User {
            id: UserId::new(&state.clock),
            email: self.email.clone(),
            name: self.name.clone(),
            roles: [Role::Admin].into_iter().collect(),
            created_at: state.clock.now(),
        };
        match users::insert(&state.pool, &user, &password_hash).await {
            Ok(()) => tracing::info!(user.id = %user.id, "made the first admin"),
            // Another replica was quicker.
            Err(Error::EmailTaken) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
