//! Users, their logins and their sessions.
//!
//! `domain/` knows people, passwords and tokens and touches nothing; `store/` holds all SQL; `routes/` is what a client reaches,
//! one file an endpoint. Between them: `people.rs` is what becomes of accounts, `tokens.rs` of sessions and their tokens,
//! `session_changes.rs` tells Redis of it; `throttle.rs` says who may try, `hashing.rs` is where passwords are hashed, `keys.rs`
//! what tokens are signed with, `links.rs` how a password is set that nobody knows; `first_admin.rs` makes the one user that
//! nobody registers, beside the tables. To add an endpoint: a file in `routes/`, a line in its `router()`, a test of the same name.

mod commonest_cost;
mod config;
mod domain;
mod error;
pub mod first_admin;
mod hashing;
mod keys;
mod links;
mod metrics;
mod people;
mod routes;
mod session_changes;
mod state;
mod store;
mod throttle;
mod tokens;

use ecommerce_http::api_key::{self, KnownKeys};
use ecommerce_postgres::housekeeping;
use ecommerce_process::{App, Host};
use sqlx::migrate::Migrator;

pub use crate::config::{Config, Registration};
use crate::error::Error;
pub use crate::first_admin::FIRST_ADMIN;
pub use crate::keys::Settings as KeySettings;
pub use crate::links::ResetUrl;
pub use crate::metrics::METRICS;
pub use crate::routes::openapi;

use crate::state::State;
use crate::store::{password_resets, sessions};

/// Auth's schema.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/auth")
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The callers' keys are not known.
    #[error(transparent)]
    ApiKeys(#[from] api_key::Error),
    /// What is said of the database cannot be.
    #[error(transparent)]
    Postgres(#[from] ecommerce_postgres::InvalidSettings),
    /// `REDIS_URL` is none.
    #[error(transparent)]
    Redis(#[from] ecommerce_redis::Error),
    /// The keys of tokens are not known.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// Mail cannot be sent as it is said.
    #[error(transparent)]
    Mail(#[from] ecommerce_mail::Error),
    /// `SMTP_HOST` without `PASSWORD_RESET_URL`: there is nothing that would be mailed.
    #[error("SMTP_HOST needs PASSWORD_RESET_URL, the page that a mailed link leads to")]
    NoResetUrl,
    /// No password can be hashed.
    #[error(transparent)]
    Hash(#[from] domain::password::HashError),
}

/// Puts the service together. The stores may still be away.
pub async fn build(config: Config, host: Host) -> Result<App, BuildError> {
    let callers = KnownKeys::read(&config.api_keys, host.clock.clone())?;
    let state = State::new(config, host.clock.clone()).await?;

    let mut tasks = host.tasks();
    let shutdown = &host.shutdown;
    tasks.spawn("session changes", state.session_changes.clone().run(shutdown.clone()));
    tasks.spawn("keys", state.keys.clone().follow(shutdown.clone()));
    tasks.spawn("commonest cost", commonest_cost::follow(state.clone(), shutdown.clone()));
    if let Some(links) = &state.links {
        tasks.spawn("links", links.clone().run(shutdown.clone()));
    }
    let clock = host.clock.clone();
    let forget = move |pool| sessions::forget_old(pool, clock.now());
    tasks.spawn("housekeeping of sessions", housekeeping::run(state.pool.clone(), shutdown.clone(), forget));
    let clock = host.clock.clone();
    let forget = move |pool| password_resets::forget_old(pool, clock.now());
    tasks.spawn("housekeeping of links", housekeeping::run(state.pool.clone(), shutdown.clone(), forget));
    let (pool, redis) = (state.pool.clone(), state.redis.clone());
    let app = host.called_by_services(callers, routes::router().with_state(state), tasks);
    let app = app.ready_once_reached("PostgreSQL", move || ecommerce_postgres::reach(pool.clone()));
    Ok(app.ready_once_reached("Redis", move || redis.clone().reach()))
}
