//! Migrations: plain SQL from `migrations/<service>`, run as the role that owns the tables.

use secrecy::SecretString;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::pool::{self, InvalidUrl};

/// Which database, and as whom.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// `postgres://login@host:5432/database`, of a login that is a member of the owner; a password in it is percent-encoded.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// The login's password, of whatever characters; absent: as `DATABASE_URL` says.
    #[arg(long, env = "DATABASE_PASSWORD", hide_env_values = true)]
    pub database_password: Option<SecretString>,
    /// The role that owns the tables. What it makes, its default privileges open to the service's own role.
    #[arg(long, env = "DATABASE_OWNER")]
    pub database_owner: String,
}

/// Why a database is not migrated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
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

/// Brings the database up to the newest migration of `migrator`; answers the connection, still as the tables' owner.
///
/// Migrations that the database has and `migrator` does not know are passed over, so that an older image can come back.
pub async fn run(settings: &Settings, mut migrator: Migrator) -> Result<PgConnection, Error> {
    let owner = &settings.database_owner;
    if owner.is_empty() || !owner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Error::Owner);
    }
    // A migration may take its time, unlike a request.
    let options: PgConnectOptions =
        pool::options(&settings.database_url, settings.database_password.as_ref(), "migrate")?
            .options([("statement_timeout", "0"), ("lock_timeout", "30s")]);
    let mut connection = PgConnection::connect_with(&options).await.map_err(Error::Connect)?;
    let set_role = format!(r#"set role "{owner}""#);
    sqlx::raw_sql(AssertSqlSafe(set_role)).execute(&mut connection).await.map_err(Error::Connect)?;
    migrator.set_ignore_missing(true);
    migrator.run(&mut connection).await?;
    Ok(connection)
}
