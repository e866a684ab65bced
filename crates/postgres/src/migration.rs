//! Migrations: plain SQL from `migrations/<service>`, run as the role that owns the tables.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::address::{Address, InvalidSettings};
use crate::pool;

/// Which database, and as whom.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// `postgres://login@host:5432/database`, of a login that is a member of the owner; a password in it is percent-encoded. With
    /// `?sslmode=verify-full` TLS is spoken, and the server has to show a certificate of that name; no other `sslmode` but `disable`
    /// is taken.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// The login's password, of whatever characters; absent: as `DATABASE_URL` says.
    #[arg(long, env = "DATABASE_PASSWORD", hide_env_values = true)]
    pub database_password: Option<SecretString>,
    /// A file with the certificate of the authority that vouches for the server, in PEM, beside those that browsers know.
    #[arg(long, env = "DATABASE_CA_FILE")]
    pub database_ca_file: Option<PathBuf>,
    /// The role that owns the tables. What it makes, its default privileges open to the service's own role.
    #[arg(long, env = "DATABASE_OWNER")]
    pub database_owner: String,
}

/// Why a database is not migrated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings say what cannot be.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// The owner's name is none.
    #[error("DATABASE_OWNER may hold letters, digits and underscores alone")]
    Owner,
    /// The database cannot be reached, or the login is no member of the owner.
    #[error("unable to open the database as its owner")]
    Connect(#[source] sqlx::Error),
    /// A migration failed, or one that has run was changed since.
    #[error("failed to migrate")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// What a migration waits for a lock: whoever asks for the table meanwhile waits behind it.
const LOCK_TIMEOUT: &str = "2s";
/// How often it asks again before it is a failure, with pauses that double up to the longest: some five minutes.
const TRIES: u32 = 16;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// `lock_not_available`.
const NOT_AVAILABLE: &str = "55P03";

/// Brings the database up to the newest migration of `migrator`; answers the connection, still as the tables' owner.
///
/// Migrations that the database has and `migrator` does not know are passed over, so that an older image can come back. One that does
/// not get its lock in two seconds lets everybody else pass and asks again later.
pub async fn run(settings: &Settings, mut migrator: Migrator) -> Result<PgConnection, Error> {
    let owner = &settings.database_owner;
    if owner.is_empty() || !owner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Error::Owner);
    }
    // A migration may take its time, unlike a request.
    let address = Address {
        url: &settings.database_url,
        password: settings.database_password.as_ref(),
        ca_file: settings.database_ca_file.as_deref(),
    };
    let options: PgConnectOptions =
        pool::options(address, "migrate")?.options([("statement_timeout", "0"), ("lock_timeout", LOCK_TIMEOUT)]);
    migrator.set_ignore_missing(true);
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match migrate(&options, owner, &migrator).await {
            Err(Error::Migrate(error)) if is_locked_out(&error) => {
                tracing::info!(%error, "somebody holds what is to be changed; asking again");
            }
            result => return result,
        }
        let _ = tokio::time::timeout(pause, std::future::pending::<()>()).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    migrate(&options, owner, &migrator).await
}

/// Over a connection of its own: whatever a try has taken goes with it.
async fn migrate(options: &PgConnectOptions, owner: &str, migrator: &Migrator) -> Result<PgConnection, Error> {
    let mut connection = PgConnection::connect_with(options).await.map_err(Error::Connect)?;
    let set_role = format!(r#"set role "{owner}""#);
    sqlx::raw_sql(AssertSqlSafe(set_role)).execute(&mut connection).await.map_err(Error::Connect)?;
    migrator.run(&mut connection).await?;
    Ok(connection)
}

fn is_locked_out(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else { return false };
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == NOT_AVAILABLE)
}
