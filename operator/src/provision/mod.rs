//! `operator provision`: makes a stack's databases and roles. It runs as a Job in the stack's namespace and may run any
//! number of times; what is there stays, passwords are set each time.
//!
//! Here live the SQL and the order of it. What is to be made stands in [`plan::Plan`]. To make something more: a statement
//! here, a claim in `tests/it/provision.rs`, and the next `REVISION` in `build/provisioning.rs`.

pub mod plan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ecommerce_types::Clock;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use plan::{Database, Login, Plan};
use postgres_protocol::password::scram_sha_256;

/// How long the server may take to answer: it may be starting at the same time.
const PATIENCE: Duration = Duration::from_mins(5);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// Two Jobs must not make the same role at once.
const ADVISORY_LOCK: i64 = 0x0065_636f_6d6d; // "ecomm"

/// What the Job is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// The plan in JSON.
    #[arg(long, env = "PROVISIONING_PLAN")]
    pub plan: String,
    /// The directory with a file for each password.
    #[arg(long, env = "PROVISIONING_CREDENTIALS")]
    pub credentials: PathBuf,
    /// Where the ids of the databases are written for the operator.
    #[arg(long, env = "PROVISIONING_RESULT", default_value = "/dev/termination-log")]
    pub result: PathBuf,
}

/// Why the databases are not provisioned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `PROVISIONING_PLAN` is not a plan.
    #[error("failed to parse PROVISIONING_PLAN")]
    Plan(#[from] serde_json::Error),
    /// A password can not be read, or the result can not be written.
    #[error("failed to open {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server does not answer.
    #[error("unable to connect to PostgreSQL at {host}")]
    Connect {
        /// The server.
        host: String,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// The server refuses a statement.
    #[error("failed to provision the database {database}")]
    Statement {
        /// The database.
        database: String,
        /// What the server says.
        source: sqlx::Error,
    },
}

/// Provisions everything in the plan and writes the databases' ids down.
pub async fn run(settings: &Settings, clock: &Clock) -> Result<(), Error> {
    let plan: Plan = serde_json::from_str(&settings.plan)?;
    let ids = provision(&plan, &settings.credentials, clock).await?;
    tracing::info!(databases = ids.len(), "the databases are provisioned");
    let result = serde_json::to_vec(&ids)?;
    std::fs::write(&settings.result, result).map_err(|source| Error::File { path: settings.result.clone(), source })
}

/// Makes what is in the plan; gives the id of each service's database.
pub async fn provision(plan: &Plan, credentials: &Path, clock: &Clock) -> Result<BTreeMap<String, Uuid>, Error> {
    let password = read(credentials, &plan.administrator)?;
    let options = PgConnectOptions::new_without_pgpass()
        .host(&plan.host)
        .port(plan.port)
        .username(&plan.administrator.role)
        .password(&password)
        .ssl_mode(PgSslMode::Prefer)
        .database("postgres");
    let mut ids = BTreeMap::new();
    let mut server = connect(&options, &plan.host, clock).await?;
    let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(ADVISORY_LOCK).execute(&mut server).await;
    lock.map_err(|source| Error::Statement { database: "postgres".to_owned(), source })?;
    for database in &plan.databases {
        let failed = |source| Error::Statement { database: database.name.clone(), source };
        let migrate = read(credentials, &database.migrate)?;
        let serve = read(credentials, &database.serve)?;
        make_roles(&mut server, database, &migrate, &serve).await.map_err(failed)?;
        make_database(&mut server, database).await.map_err(failed)?;
        let mut inside = connect(&options.clone().database(&database.name), &plan.host, clock).await?;
        grant(&mut inside, database).await.map_err(failed)?;
        let id = identify(&mut inside, clock.new_id()).await.map_err(failed)?;
        inside.close().await.map_err(failed)?;
        tracing::info!(database.name = database.name, database.id = %id, "provisioned");
        ids.insert(database.service.clone(), id);
    }
    Ok(ids)
}

fn read(directory: &Path, login: &Login) -> Result<String, Error> {
    let path = directory.join(&login.password);
    std::fs::read_to_string(&path).map_err(|source| Error::File { path, source })
}

/// The Job and the server start at the same time, so a refused connection is no failure yet.
async fn connect(options: &PgConnectOptions, host: &str, clock: &Clock) -> Result<PgConnection, Error> {
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
fn is_starting(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "57P03")
}

async fn make_roles(
    server: &mut PgConnection,
    database: &Database,
    migrate: &str,
    serve: &str,
) -> Result<(), sqlx::Error> {
    for role in [&database.owner_role, &database.service_role] {
        make_role(server, role).await?;
        run_statement(server, format!("ALTER ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE", quote(role)))
            .await?;
    }
    let members = [
        // The migrating login has to say SET ROLE, so that nothing it makes is its own.
        (&database.migrate, migrate, &database.owner_role, "NOINHERIT"),
        (&database.serve, serve, &database.service_role, "INHERIT"),
    ];
    for (login, password, group, inheritance) in members {
        make_role(server, &login.role).await?;
        let role = quote(&login.role);
        // So that the password itself neither travels nor can land in the server's log.
        let verifier = scram_sha_256(password.as_bytes());
        run_statement(
            server,
            format!("ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE {inheritance} PASSWORD '{verifier}'"),
        )
        .await?;
        run_statement(server, format!("GRANT {} TO {role}", quote(group))).await?;
    }
    Ok(())
}

async fn make_role(server: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut *server)
        .await?;
    if !exists {
        run_statement(server, format!("CREATE ROLE {}", quote(role))).await?;
    }
    Ok(())
}

async fn make_database(server: &mut PgConnection, database: &Database) -> Result<(), sqlx::Error> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&database.name)
        .fetch_one(&mut *server)
        .await?;
    let (name, owner) = (quote(&database.name), quote(&database.owner_role));
    if !exists {
        run_statement(server, format!("CREATE DATABASE {name} OWNER {owner}")).await?;
    }
    run_statement(server, format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC")).await?;
    // NOINHERIT: the migrating login has no right to connect through its group.
    for role in [&database.service_role, &database.migrate.role] {
        run_statement(server, format!("GRANT CONNECT ON DATABASE {name} TO {}", quote(role))).await?;
    }
    Ok(())
}

/// Inside the database: `public` is the owner's, and what the owner makes the service reads and writes.
async fn grant(inside: &mut PgConnection, database: &Database) -> Result<(), sqlx::Error> {
    let (owner, service) = (quote(&database.owner_role), quote(&database.service_role));
    let own = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner}");
    for statement in [
        format!("ALTER SCHEMA public OWNER TO {owner}"),
        "REVOKE ALL ON SCHEMA public FROM PUBLIC".to_owned(),
        format!("GRANT USAGE ON SCHEMA public TO {service}"),
        format!("{own} GRANT USAGE ON SCHEMAS TO {service}"),
        format!("{own} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {service}"),
        format!("{own} GRANT USAGE, SELECT ON SEQUENCES TO {service}"),
    ] {
        run_statement(inside, statement).await?;
    }
    Ok(())
}

/// The id that tells this database from another of the same name; made once, seen by the administrator alone.
async fn identify(inside: &mut PgConnection, fresh: Uuid) -> Result<Uuid, sqlx::Error> {
    for statement in [
        "CREATE SCHEMA IF NOT EXISTS ecommerce_provisioning",
        "CREATE TABLE IF NOT EXISTS ecommerce_provisioning.provisioning (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            id uuid NOT NULL
        )",
    ] {
        inside.execute(statement).await?;
    }
    sqlx::query("INSERT INTO ecommerce_provisioning.provisioning (id) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(fresh)
        .execute(&mut *inside)
        .await?;
    sqlx::query_scalar("SELECT id FROM ecommerce_provisioning.provisioning").fetch_one(inside).await
}

/// What defines roles takes no parameters: every name in such a statement went through [`quote`].
async fn run_statement(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(statement)).await.map(|_| ())
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
