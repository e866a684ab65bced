//! The pool of connections.

use std::io::ErrorKind;
use std::str::FromStr as _;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};

/// How long a request waits for a connection before it is told to come again.
const ACQUIRE: Duration = Duration::from_secs(3);

/// A connection that has rested for so long is asked whether its server is still there before it is used.
const RESTED: Duration = Duration::from_secs(1);
/// How long its answer is waited for.
const ANSWER: Duration = Duration::from_millis(500);

/// Which database, and how much of it.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// `postgres://login@host:5432/database`; a password in it is percent-encoded.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// The login's password, of whatever characters; absent: as `DATABASE_URL` says.
    #[arg(long, env = "DATABASE_PASSWORD", hide_env_values = true)]
    pub database_password: Option<SecretString>,
    /// The most connections this process opens. Times the most replicas, it must fit the server's `max_connections`.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 8)]
    pub database_max_connections: u32,
}

/// `DATABASE_URL` is not one; its text is a secret and not shown.
#[derive(Debug, thiserror::Error)]
#[error("DATABASE_URL is not of the form postgres://login@host:5432/database")]
pub struct InvalidUrl;

/// A pool that connects when it is first used, so that a service starts while its database is still away.
pub fn connect(settings: &Settings, application: &str) -> Result<PgPool, InvalidUrl> {
    let options = options(&settings.database_url, settings.database_password.as_ref(), application)?;
    Ok(PgPoolOptions::new()
        .max_connections(settings.database_max_connections)
        .acquire_timeout(ACQUIRE)
        // Not each: it would be a round trip on each request. A server that dies is longer away than a busy connection rests.
        .test_before_acquire(false)
        .before_acquire(|connection, use_| {
            Box::pin(async move {
                if use_.idle_for >= RESTED {
                    let answer = tokio::time::timeout(ANSWER, connection.ping()).await;
                    answer.map_err(|_| sqlx::Error::Io(ErrorKind::TimedOut.into()))??;
                }
                Ok(true)
            })
        })
        .idle_timeout(Duration::from_mins(5))
        .max_lifetime(Duration::from_mins(30))
        .connect_lazy_with(options))
}

/// Logs in once, beside the pool, so that the answer is the server's own and not that no connection came in time.
pub async fn reach(pool: PgPool) -> Result<(), sqlx::Error> {
    let options = pool.connect_options();
    let connection = tokio::time::timeout(ACQUIRE, options.connect());
    connection.await.map_err(|_| sqlx::Error::Io(ErrorKind::TimedOut.into()))??.close().await
}

/// How each connection is opened: no statement and no transaction of ours lasts long, and one that does is cut off by the
/// server, whatever became of the process that began it.
pub(crate) fn options(
    url: &SecretString,
    password: Option<&SecretString>,
    application: &str,
) -> Result<PgConnectOptions, InvalidUrl> {
    let mut options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| InvalidUrl)?;
    if let Some(password) = password {
        options = options.password(password.expose_secret());
    }
    Ok(options.application_name(application).options([
        ("idle_in_transaction_session_timeout", "15s"),
        ("lock_timeout", "5s"),
        ("statement_timeout", "10s"),
    ]))
}
