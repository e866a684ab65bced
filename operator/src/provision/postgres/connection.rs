//! The first connection to a server that may still be starting.

use std::time::Duration;

use ecommerce_types::Clock;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};

use crate::provision::error::Error;

/// How long the server may take to answer: it may be starting at the same time.
const PATIENCE: Duration = Duration::from_mins(5);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// The Job and the server start at the same time, so a refused connection is no failure yet.
pub(super) async fn connect(options: &PgConnectOptions, host: &str, clock: &Clock) -> Result<PgConnection, Error> {
    let deadline = clock.now() + PATIENCE;
    let mut pause = tokio::time::interval(PAUSE);
    loop {
        pause.tick().await;
        match options.connect().await {
            Ok(connection) => return Ok(connection),
            // Whom the server knows and refuses, it refuses again; anything else may pass.
            Err(error @ sqlx::Error::Database(_)) if !is_starting(&error) => {
                return Err(Error::Connect { host: host.to_owned(), source: error });
            }
            Err(error) if clock.now() >= deadline => {
                return Err(Error::Connect { host: host.to_owned(), source: error });
            }
            Err(error) => tracing::debug!(%error, "PostgreSQL does not answer yet"),
        }
    }
}

/// `57P03 cannot_connect_now`: starting up, shutting down, or in recovery.
pub(super) fn is_starting(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "57P03")
}
