//! `operator provision`: makes a stack's databases and roles. It runs as a Job in the stack's namespace and may run any
//! number of times; what is there stays, passwords are set each time.
//!
//! What is to be made stands in [`plan::Plan`]; `roles.rs` and `database.rs` have the SQL, and here is its order. To make
//! something more: a statement there, a test in `tests/it/provision.rs`, and the next `REVISION` in `objects/provisioning.rs`.

mod connection;
mod database;
pub mod plan;
mod roles;
mod statement;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecommerce_types::Clock;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use uuid::Uuid;

use connection::connect;
use plan::{Login, Plan};

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
    for wanted in &plan.databases {
        let failed = |source| Error::Statement { database: wanted.name.clone(), source };
        let migrate = read(credentials, &wanted.migrate)?;
        let serve = read(credentials, &wanted.serve)?;
        roles::make(&mut server, wanted, &migrate, &serve).await.map_err(failed)?;
        database::make(&mut server, wanted).await.map_err(failed)?;
        let mut inside = connect(&options.clone().database(&wanted.name), &plan.host, clock).await?;
        database::grant(&mut inside, wanted).await.map_err(failed)?;
        let id = database::identify(&mut inside, clock.new_id()).await.map_err(failed)?;
        inside.close().await.map_err(failed)?;
        tracing::info!(database.name = wanted.name, database.id = %id, "provisioned");
        ids.insert(wanted.service.clone(), id);
    }
    Ok(ids)
}

fn read(directory: &Path, login: &Login) -> Result<String, Error> {
    let path = directory.join(&login.password);
    std::fs::read_to_string(&path).map_err(|source| Error::File { path, source })
}
