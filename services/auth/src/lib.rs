//! Users, their logins and their sessions.
//!
//! `domain/` knows people and passwords and touches nothing; `store/` holds all SQL; `routes/` is what a client reaches, one
//! file an endpoint; `hashing.rs` is where passwords are hashed, `session_endings.rs` publishes which sessions have ended,
//! `first_admin.rs` makes the one user that nobody registers, beside the tables. To add an endpoint: a file in `routes/`, a line in its
//! `router()`, a test of the same name.

mod commonest_cost;
mod config;
mod domain;
mod error;
pub mod first_admin;
mod hashing;
mod metrics;
mod routes;
mod session_endings;
mod state;
mod store;

use std::path::PathBuf;

use ecommerce_http::api_key::{self, KnownKeys};
use ecommerce_postgres::housekeeping;
use ecommerce_process::{App, Host};
use sqlx::migrate::Migrator;

pub use crate::config::Config;
use crate::error::Error;
pub use crate::first_admin::FIRST_ADMIN;
pub use crate::metrics::METRICS;
pub use crate::routes::openapi;

use crate::session_endings::SessionEndings;
use crate::state::State;

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
    /// `DATABASE_URL` is none.
    #[error(transparent)]
    Postgres(#[from] ecommerce_postgres::pool::InvalidUrl),
    /// `REDIS_URL` is none.
    #[error(transparent)]
    Redis(#[from] ecommerce_redis::Error),
    /// The private key is not readable.
    #[error("failed to read SIGNING_KEY_FILE {0}")]
    SigningKeyFile(PathBuf, #[source] std::io::Error),
    /// The private key is none.
    #[error("failed to use SIGNING_KEY_FILE")]
    SigningKey(#[from] ecommerce_token::KeyError),
    /// No password can be hashed.
    #[error(transparent)]
    Hash(#[from] domain::password::HashError),
}

/// Puts the service together. The stores may still be away.
pub async fn build(config: Config, host: Host) -> Result<App, BuildError> {
    let keys = KnownKeys::read(&config.api_keys, host.clock.clone())?;
    let state = State::new(config, host.clock.clone()).await?;

    let mut tasks = host.tasks();
    let shutdown = &host.shutdown;
    tasks.spawn("session endings", SessionEndings::of(&state).run(shutdown.clone()));
    let clock = host.clock.clone();
    let forget = move |pool| store::sessions::forget_old(pool, clock.now());
    tasks.spawn("housekeeping", housekeeping::run(state.pool.clone(), shutdown.clone(), forget));
    tasks.spawn("commonest cost", commonest_cost::follow(state.clone(), shutdown.clone()));
    Ok(host.called_by_services(keys, routes::router().with_state(state), tasks))
}
