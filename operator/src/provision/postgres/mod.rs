//! The databases and roles of a stack: on a server of its own, as its superuser; on one that others use too, as a login that may make
//! roles and databases and nothing more (`CREATEROLE CREATEDB`), which is all that a managed one gives.

mod connection;
mod database;
mod mark;
mod roles;
mod statement;
mod theirs;

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use ecommerce_types::Clock;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

use super::Files;
use super::error::{Error, Fault};
use super::plan::{Database, External, Plan};
use crate::external::{Access, Address, Found};
use crate::names::{Backend, Names};
use connection::connect;
use mark::Mark;

/// Two Jobs must not make the same role at once.
const ADVISORY_LOCK: i64 = 0x0065_636f_6d6d; // "ecomm"

/// On the stack's own server.
pub(super) async fn provision_own(plan: &Plan, files: &Files, clock: &Clock) -> Result<BTreeMap<String, Uuid>, Error> {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&plan.host)
        .port(plan.port)
        .username(&plan.administrator.role)
        .password(&files.password(&plan.administrator)?)
        .ssl_mode(PgSslMode::Disable)
        .database("postgres");
    let mut ids = BTreeMap::new();
    let mut server = connect(&options, &plan.host, clock).await?;
    lock(&mut server).await?;
    for wanted in &plan.databases {
        make(&mut server, wanted, files, None).await?;
        let mut inside = connect(&options.clone().database(&wanted.name), &plan.host, clock).await?;
        ids.insert(wanted.service.clone(), fill(&mut inside, wanted, clock).await?);
    }
    Ok(ids)
}

/// On a server that others use too: nothing is touched where any name is somebody else's, and every login is tried at the end.
pub(super) async fn provision_shared(
    plan: &Plan,
    names: &Names,
    external: &External,
    found: &Found,
    files: &Files,
    deadline: Instant,
    clock: &Clock,
) -> Result<BTreeMap<String, Uuid>, Error> {
    let Access::Shared { server: address, .. } = &found.access else { return Err(Error::Changed(Backend::Postgres)) };
    let theirs = |fault| Fault::of(external.store, &external.secret)(fault);
    let no_rights = |error: Error| match error {
        Error::Statement { database, source } => {
            let what = format!("make the database {database} and its roles: ALTER ROLE … CREATEROLE CREATEDB");
            theirs(theirs::of_statement(address, what, &source))
        }
        other => other,
    };
    let mark = Mark(names.mark(&files.seal()?));
    let administrator = |database: &str| theirs::options(found, address).database(database);
    let mut server = theirs::connect(&administrator(&address.path), address, deadline).await.map_err(theirs)?;
    lock(&mut server).await.map_err(no_rights)?;
    for wanted in &plan.databases {
        let failed = |source| Error::Statement { database: wanted.name.clone(), source };
        if let Some(fault) = mark.not_ours(&mut server, wanted).await.map_err(failed).map_err(no_rights)? {
            return Err(theirs(fault));
        }
    }
    let mut ids = BTreeMap::new();
    for wanted in &plan.databases {
        make(&mut server, wanted, files, Some(&mark)).await.map_err(no_rights)?;
        let mut inside = theirs::connect(&administrator(&wanted.name), address, deadline).await.map_err(theirs)?;
        ids.insert(wanted.service.clone(), fill(&mut inside, wanted, clock).await.map_err(no_rights)?);
        for login in [&wanted.migrate, &wanted.serve] {
            let own = Address { login: login.role.clone(), path: wanted.name.clone(), ..Address::clone(address) };
            let options = theirs::options(found, &own).password(&files.password(login)?);
            theirs::try_login(&options, &own, deadline).await.map_err(theirs)?;
        }
    }
    Ok(ids)
}

/// Logins that somebody else has made. Their databases have no id of ours: what stands for one is its server and its number there.
pub(super) async fn try_others(
    external: &External,
    found: &Found,
    deadline: Instant,
) -> Result<BTreeMap<String, Uuid>, Error> {
    let theirs = |fault| Fault::of(external.store, &external.secret)(fault);
    let Access::Others { serve, migrate } = &found.access else { return Err(Error::Changed(Backend::Postgres)) };
    let mut ids: BTreeMap<String, Uuid> = BTreeMap::new();
    for (service, address) in serve {
        let tried = theirs::try_serving(found, address, deadline).await.map_err(theirs)?;
        if let Some((other, _)) = ids.iter().find(|(_, id)| **id == tried.id) {
            let (one, other) = (serve[other].said_by.clone(), address.said_by.clone());
            return Err(theirs(Fault::OneDatabase { one, other }));
        }
        if let Some(migrating) = migrate.get(service) {
            // Its simulator of a provider has one.
            let makes_schemas = service == Service::Payment.as_str();
            let migrates = theirs::try_migrating(found, migrating, (&tried, address), makes_schemas, deadline).await;
            migrates.map_err(theirs)?;
        }
        ids.insert(service.clone(), tried.id);
    }
    Ok(ids)
}

async fn lock(server: &mut PgConnection) -> Result<(), Error> {
    let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(ADVISORY_LOCK).execute(server).await;
    lock.map(|_| ()).map_err(|source| Error::Statement { database: "postgres".to_owned(), source })
}

async fn make(server: &mut PgConnection, wanted: &Database, files: &Files, mark: Option<&Mark>) -> Result<(), Error> {
    let failed = |source| Error::Statement { database: wanted.name.clone(), source };
    let migrate = files.password(&wanted.migrate)?;
    let serve = files.password(&wanted.serve)?;
    roles::make(server, wanted, &migrate, &serve, mark).await.map_err(failed)?;
    database::make(server, wanted, mark).await.map_err(failed)
}

async fn fill(inside: &mut PgConnection, wanted: &Database, clock: &Clock) -> Result<Uuid, Error> {
    let failed = |source| Error::Statement { database: wanted.name.clone(), source };
    database::grant(inside, wanted).await.map_err(failed)?;
    let id = database::identify(inside, clock.new_id()).await.map_err(failed)?;
    tracing::info!(database.name = wanted.name, database.id = %id, "provisioned");
    Ok(id)
}

/// Whom it was opened by closes it; what is left in the air the server cuts off.
async fn close(connection: PgConnection) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection was not closed in peace");
    }
}
