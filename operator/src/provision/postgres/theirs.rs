//! A connection to a PostgreSQL of others, and what went wrong with it in a person's words.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::{Instant, interval, timeout_at};
use uuid::Uuid;

use super::close;
use super::connection::is_starting;
use crate::external::{Address, Found};
use crate::provision::error::Fault;
use crate::provision::wire::{unreachable, why_not_believed};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// `insufficient_privilege`
const NO_RIGHTS: &str = "42501";
/// `read_only_sql_transaction`
const READ_ONLY: &str = "25006";
/// `invalid_schema_name`: there is none that it may use.
const NO_SCHEMA: &str = "3F000";
/// `undefined_function`
const NO_SUCH_FUNCTION: &str = "42883";

/// As the address says: with TLS and a certificate that is good, or in clear.
pub(super) fn options(found: &Found, address: &Address) -> PgConnectOptions {
    let mode = if address.tls { PgSslMode::VerifyFull } else { PgSslMode::Disable };
    let options = PgConnectOptions::new_without_pgpass()
        .host(&address.host)
        .port(address.port)
        .username(&address.login)
        .password(address.password.expose())
        .database(&address.path)
        .ssl_mode(mode);
    match &found.authorities {
        Some(pem) => options.ssl_root_cert_from_pem(pem.clone().into_bytes()),
        None => options,
    }
}

/// Connects; a server that is still starting is waited for until the deadline.
pub(super) async fn connect(
    options: &PgConnectOptions,
    address: &Address,
    deadline: Instant,
) -> Result<PgConnection, Fault> {
    let mut pause = interval(PAUSE);
    let mut last = "in time".to_owned();
    loop {
        let tried = async {
            pause.tick().await;
            options.connect().await
        };
        match timeout_at(deadline, tried).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => match refused(address, &error) {
                Some(fault) => return Err(fault),
                None => last = error.to_string(),
            },
            Err(_) => return Err(unreachable(address, last)),
        }
    }
}

/// What will be so again; anything else may pass.
fn refused(address: &Address, error: &sqlx::Error) -> Option<Fault> {
    let key = address.said_by.clone();
    let not_believed = |why| Fault::NotBelieved { key: key.clone(), why };
    match error {
        sqlx::Error::Database(_) if is_starting(error) => None,
        sqlx::Error::Database(said) => Some(Fault::NotLetIn { key, why: said.message().to_owned() }),
        sqlx::Error::Io(error) => why_not_believed(error).map(not_believed),
        sqlx::Error::Tls(error) => Some(not_believed(error.to_string())),
        _ => None,
    }
}

/// Why a statement of ours did not do its work, which is to do this.
pub(super) fn of_statement(address: &Address, what: String, error: &sqlx::Error) -> Fault {
    let key = address.said_by.clone();
    let Some(said) = error.as_database_error() else { return unreachable(address, error.to_string()) };
    let why = said.message().to_owned();
    match said.code().as_deref() {
        Some(NO_RIGHTS | NO_SCHEMA) => Fault::NoRights { key, what, why },
        Some(READ_ONLY) => Fault::ReadOnly { key, why },
        _ => Fault::Unexpected { key, why },
    }
}

/// A login that somebody else has made, let in.
pub(super) struct Tried {
    /// What stands for its database.
    pub(super) id: Uuid,
    /// Who it is there.
    role: String,
}

/// Logs in as whoever serves.
pub(super) async fn try_serving(found: &Found, address: &Address, deadline: Instant) -> Result<Tried, Fault> {
    let mut connection = connect(&options(found, address), address, deadline).await?;
    let asked = timeout_at(deadline, ask(&mut connection, address)).await.map_err(|_| late(address))?;
    close(connection).await;
    asked
}

async fn ask(connection: &mut PgConnection, address: &Address) -> Result<Tried, Fault> {
    let failed = |error| of_statement(address, "ask whose it is".to_owned(), &error);
    let is_read_only = "SELECT current_setting('transaction_read_only')::bool";
    if sqlx::query_scalar(is_read_only).fetch_one(&mut *connection).await.map_err(failed)? {
        return Err(Fault::ReadOnly { key: address.said_by.clone(), why: "transaction_read_only is on".to_owned() });
    }
    let who = "SELECT current_user::text, oid::bigint FROM pg_database WHERE datname = current_database()";
    let (role, number): (String, i64) = sqlx::query_as(who).fetch_one(&mut *connection).await.map_err(failed)?;
    // Some clouds keep this from whoever is no administrator. Then it is where it is.
    let server = "SELECT system_identifier::text FROM pg_control_system()";
    let server: Result<String, _> = sqlx::query_scalar(server).fetch_one(connection).await;
    let place = match server {
        Ok(identifier) => identifier,
        Err(error) if is_kept_from_us(&error) => format!("{} {}", address.authority(), address.path),
        Err(error) => return Err(failed(error)),
    };
    let digest = Sha256::digest(format!("{place} {number}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Ok(Tried { id: uuid::Builder::from_random_bytes(bytes).into_uuid(), role })
}

fn is_kept_from_us(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| [NO_RIGHTS, NO_SUCH_FUNCTION].contains(&code.as_ref()))
}

/// Logs in as whoever migrates the same database, and sees that it may make tables, that the other may use these, and those that it has
/// made before. Nothing of it stays.
pub(super) async fn try_migrating(
    found: &Found,
    address: &Address,
    (serving, serves): (&Tried, &Address),
    makes_schemas: bool,
    deadline: Instant,
) -> Result<(), Fault> {
    let mut connection = connect(&options(found, address), address, deadline).await?;
    let what = if makes_schemas { "make a table and a schema" } else { "make a table" };
    let failed = |error| of_statement(address, format!("{what} in its database"), &error);
    let tried = async {
        if ask(&mut connection, address).await?.id != serving.id {
            let (one, other) = (serves.said_by.clone(), address.said_by.clone());
            return Err(Fault::TwoDatabases { one, other });
        }
        may_use_its_tables(&mut connection, &serving.role, makes_schemas).await.map_err(failed)
    };
    let may_use = timeout_at(deadline, tried).await.map_err(|_| late(address))??;
    close(connection).await;
    if may_use {
        return Ok(());
    }
    let what = "give whoever serves its tables: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA … TO …, the same with ALTER DEFAULT PRIVILEGES FOR ROLE …, and GRANT USAGE ON SCHEMAS likewise";
    let why = "something that it has made, or would make, is closed to them".to_owned();
    Err(Fault::NoRights { key: address.said_by.clone(), what: what.to_owned(), why })
}

async fn may_use_its_tables(
    connection: &mut PgConnection,
    role: &str,
    makes_schemas: bool,
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    if makes_schemas {
        sqlx::query("CREATE SCHEMA ecommerce_try").execute(&mut *transaction).await?;
    }
    sqlx::query("CREATE TABLE ecommerce_try (id int)").execute(&mut *transaction).await?;
    // But the list of what was migrated, which is the migrations' own.
    let may_use = "SELECT bool_and(has_schema_privilege($1, relnamespace, 'USAGE') AND has_table_privilege($1, pg_class.oid, what)) \
                     AND (to_regnamespace('ecommerce_try') IS NULL OR has_schema_privilege($1, to_regnamespace('ecommerce_try'), 'USAGE')) \
                   FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS each(what) \
                   WHERE relkind IN ('r', 'p') AND relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND relname <> '_sqlx_migrations'";
    let may_use = sqlx::query_scalar(may_use).bind(role).fetch_one(&mut *transaction).await?;
    transaction.rollback().await?;
    Ok(may_use)
}

fn late(address: &Address) -> Fault {
    unreachable(address, "it says nothing in time".to_owned())
}

/// Logs in, and no more.
pub(super) async fn try_login(options: &PgConnectOptions, address: &Address, deadline: Instant) -> Result<(), Fault> {
    close(connect(options, address, deadline).await?).await;
    Ok(())
}
