//! Users, their logins and their sessions.
//!
//! `domain/` knows people and passwords and touches nothing; `store/` holds all SQL; `routes/` is what a client reaches, one
//! file an endpoint; `hashing.rs` is where passwords are hashed, `session_endings.rs` tells Redis which sessions have ended,
//! `first_admin.rs` makes the one user that nobody registers. To add an endpoint: a file in `routes/`, a line in its
//! `described()`, a test of the same name.

mod config;
pub mod domain;
mod error;
mod first_admin;
mod hashing;
mod housekeeping;
mod routes;
mod session_endings;
mod store;

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use ecommerce_http::api_key::{self, KnownKeys};
use ecommerce_http::operations::Operations;
use ecommerce_http::process::{self, Listeners};
use ecommerce_http::request_log;
use ecommerce_postgres::Wake;
use ecommerce_redis::{Redis, Sessions};
use ecommerce_runtime::settings::Drain;
use ecommerce_runtime::tasks::EndedEarly;
use ecommerce_runtime::{Shutdown, Tasks};
use ecommerce_token::Signer;
use ecommerce_types::Clock;
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use sqlx::migrate::Migrator;

pub use crate::config::{Admin, Config};
use crate::error::Error;
pub use crate::routes::openapi;

use crate::first_admin::FirstAdmin;
use crate::hashing::Hashing;
use crate::session_endings::SessionEndings;

/// Auth's schema.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/auth")
}

/// What every handler works with.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: PgPool,
    pub(crate) sessions: Sessions,
    pub(crate) hashing: Hashing,
    pub(crate) signer: Signer,
    pub(crate) policy: domain::Policy,
    pub(crate) token: ecommerce_token::Settings,
    pub(crate) session_lifetime: time::Duration,
    pub(crate) clock: Clock,
    /// Tapped when Redis was not told of an ending.
    pub(crate) untold: Wake,
}

/// A service that is bound and ready to run.
pub struct App {
    listeners: Listeners,
    routes: Router,
    operations: Operations,
    tasks: Tasks,
    drain: Drain,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A port is taken, or not ours to take.
    #[error("failed to listen")]
    Listen(#[from] std::io::Error),
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
    /// The first admin's password breaks the rules that everybody's has to keep.
    #[error("ADMIN_PASSWORD is refused")]
    AdminPassword(#[from] ecommerce_types::Invalid),
    /// No password can be hashed.
    #[error(transparent)]
    Hash(#[from] domain::password::HashError),
}

impl App {
    /// Binds the ports and sets up the background work. The stores may still be away.
    pub async fn build(
        config: Config,
        clock: Clock,
        metrics: PrometheusHandle,
        shutdown: Shutdown,
    ) -> Result<Self, BuildError> {
        let session_lifetime = config.session_lifetime();
        let listeners = Listeners::bind(&config.listen).await?;
        let keys = KnownKeys::read(&config.api_keys)?;
        let pem = std::fs::read_to_string(&config.signing_key_file);
        let pem = pem.map_err(|source| BuildError::SigningKeyFile(config.signing_key_file, source))?;
        let state = State {
            pool: ecommerce_postgres::connect(&config.postgres, "auth")?,
            sessions: Sessions::new(Redis::connect(&config.redis).await?),
            hashing: Hashing::new(config.password_threads.get())?,
            signer: Signer::from_pkcs8_pem(&pem)?,
            policy: domain::Policy::new(config.admin.admin_email.clone(), &config.token.token_audience),
            token: config.token,
            session_lifetime,
            clock: clock.clone(),
            untold: Wake::new(),
        };

        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("api keys", keys.clone().follow(shutdown.clone()));
        tasks.spawn("session endings", SessionEndings::of(&state).run(shutdown.clone()));
        tasks.spawn("housekeeping", housekeeping::run(state.clone(), shutdown.clone()));
        // Made before anyone is answered, or as soon as the database is there.
        if let Some(admin) = FirstAdmin::from(config.admin, &state.policy)?
            && !admin.is_made(&state).await
        {
            tasks.spawn("first admin", admin.make(state.clone(), shutdown.clone()));
        }

        let routes = request_log::around(routes::router(state, keys), clock);
        let operations = Operations::new(metrics, shutdown);
        Ok(Self { listeners, routes, operations, tasks, drain: config.drain })
    }

    /// Where the API listens.
    pub fn http_address(&self) -> std::io::Result<SocketAddr> {
        self.listeners.http_address()
    }

    /// Runs until the shutdown says stop.
    pub async fn run(self) -> Result<(), EndedEarly> {
        process::run(self.listeners, self.routes, self.operations, self.tasks, self.drain).await
    }
}
