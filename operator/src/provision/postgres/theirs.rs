//! A connection to a PostgreSQL of others, and what went wrong with it in a person's words.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, PgConnection};
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

/// Why a statement of ours did not do its work.
pub(super) fn of_statement(address: &Address, database: &str, error: &sqlx::Error) -> Fault {
    let key = address.said_by.clone();
    let said = error.as_database_error().map(|said| (said.code(), said.message().to_owned()));
    match said {
        Some((Some(code), why)) if code == NO_RIGHTS => Fault::NoRights {
            key,
            what: format!("make the database {database} and its roles: ALTER ROLE … CREATEROLE CREATEDB"),
            why,
        },
        Some((_, why)) => Fault::Unexpected { key, why },
        None => unreachable(address, error.to_string()),
    }
}

/// Logs in and says what stands for the database: where it is, and its number there.
pub(super) async fn try_login(options: &PgConnectOptions, address: &Address, deadline: Instant) -> Result<Uuid, Fault> {
    let mut connection = connect(options, address, deadline).await?;
    let asked = sqlx::query_scalar("SELECT oid::bigint FROM pg_database WHERE datname = current_database()");
    let asked = timeout_at(deadline, asked.fetch_one(&mut connection)).await;
    let asked = asked.map_err(|_| unreachable(address, "it says nothing in time".to_owned()))?;
    let number: i64 = asked.map_err(|error| of_statement(address, &address.path, &error))?;
    close(connection).await;
    let digest = Sha256::digest(format!("{} {} {number}", address.authority(), address.path));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}
