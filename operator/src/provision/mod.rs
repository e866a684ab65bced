//! `operator provision`: makes a stack's databases and roles, and tries every login at the stores of others. It runs as a Job in the
//! stack's namespace and may run any number of times; what is there stays, passwords are set each time.
//!
//! What is to be made stands in [`plan::Plan`]; `postgres/roles.rs` and `postgres/database.rs` have the SQL, `postgres/mod.rs` its order.
//! To make something more: a statement there, a test in `tests/it/provision.rs`, and the next `REVISION` in
//! `objects/provisioning.rs`.

mod amqp;
mod error;
pub mod plan;
mod postgres;
mod rabbitmq;
mod redis;
mod wire;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_types::Clock;
use tokio::time::Instant;
use uuid::Uuid;

use crate::crd::Keeper;
use crate::credentials::SEAL;
use crate::external::{FINGERPRINT, Found, NEXT};
use crate::names::Backend;
use plan::{External, Login, Plan};

pub use error::{Error, Fault};

/// The directory of the passwords of RabbitMQ's users, beside those of the stores of others.
pub const USERS: &str = "rabbitmq-users";

/// What the Job is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// The plan in JSON.
    #[arg(long, env = "PROVISIONING_PLAN")]
    pub plan: String,
    /// The directory with a file for each password.
    #[arg(long, env = "PROVISIONING_CREDENTIALS")]
    pub credentials: PathBuf,
    /// The directory with a directory for each store that somebody else runs.
    #[arg(long, env = "PROVISIONING_STORES", default_value = "/etc/ecommerce/stores")]
    pub stores: PathBuf,
    /// For how long each store that somebody else runs is waited for, in seconds.
    #[arg(long, env = "PROVISIONING_PATIENCE_SECONDS", default_value_t = 60)]
    pub patience_seconds: u64,
    /// Where the ids of the databases are written for the operator.
    #[arg(long, env = "PROVISIONING_RESULT", default_value = "/dev/termination-log")]
    pub result: PathBuf,
}

/// Where a Job finds what it may not be told in its environment.
#[derive(Debug, Clone)]
pub struct Files {
    /// A file for each password at PostgreSQL.
    pub credentials: PathBuf,
    /// A directory for each store that somebody else runs.
    pub stores: PathBuf,
    /// For how long such a store is waited for.
    pub patience: Duration,
}

/// Provisions everything in the plan and writes the databases' ids down.
pub async fn run(settings: &Settings, clock: &Clock) -> Result<(), Error> {
    let plan: Plan = serde_json::from_str(&settings.plan)?;
    let files = Files {
        credentials: settings.credentials.clone(),
        stores: settings.stores.clone(),
        patience: Duration::from_secs(settings.patience_seconds),
    };
    let ids = provision(&plan, &files, clock).await?;
    tracing::info!(databases = ids.len(), "the databases are provisioned");
    let result = serde_json::to_vec(&ids)?;
    std::fs::write(&settings.result, result).map_err(|source| Error::File { path: settings.result.clone(), source })
}

/// Makes what is in the plan, and tries what somebody else has made; gives the id of each service's database.
pub async fn provision(plan: &Plan, files: &Files, clock: &Clock) -> Result<BTreeMap<String, Uuid>, Error> {
    for external in &plan.external {
        let deadline = Instant::now() + files.patience;
        let found = files.found(external)?;
        let fault = Fault::of(external.store, &external.secret);
        match (external.store, &plan.names) {
            (Backend::Redis, Some(names)) => redis::try_logins(names, &found, deadline).await.map_err(fault)?,
            (Backend::Rabbitmq, Some(names)) => {
                let (passwords, seal) = files.of_users(external.keeper)?;
                rabbitmq::provision(names, &found, &passwords, &seal, deadline).await.map_err(fault)?;
            }
            (Backend::Rabbitmq | Backend::Redis, None) | (Backend::Postgres, _) => {}
        }
    }
    let Some(external) = plan.external(Backend::Postgres) else {
        return postgres::provision_own(plan, files, clock).await;
    };
    let deadline = Instant::now() + files.patience;
    let found = files.found(external)?;
    let Some(names) = plan.names.as_ref().filter(|_| external.keeper == Keeper::Shared) else {
        return postgres::try_others(external, &found, deadline).await;
    };
    postgres::provision_shared(plan, names, external, &found, files, deadline, clock).await
}

impl Files {
    fn password(&self, login: &Login) -> Result<String, Error> {
        read(&self.credentials.join(&login.password))
    }

    /// What the mark at the stack's own is made from.
    fn seal(&self) -> Result<String, Error> {
        read(&self.credentials.join(SEAL))
    }

    fn found(&self, external: &External) -> Result<Found, Error> {
        let directory = self.stores.join(external.store.as_str());
        if read(&directory.join(FINGERPRINT))? != external.fingerprint {
            return Err(Error::Changed(external.store));
        }
        Found::read(&read(&directory.join(NEXT))?).ok_or(Error::Changed(external.store))
    }

    /// The passwords of RabbitMQ's users, and what the mark at them is made from; nothing where somebody else has made them.
    fn of_users(&self, keeper: Keeper) -> Result<(BTreeMap<Service, String>, String), Error> {
        if keeper != Keeper::Shared {
            return Ok((BTreeMap::new(), String::new()));
        }
        let directory = self.stores.join(USERS);
        let each = Service::WITH_BROKER.into_iter();
        let passwords = each.map(|service| Ok((service, read(&directory.join(service.as_str()))?)));
        Ok((passwords.collect::<Result<_, Error>>()?, read(&directory.join(SEAL))?))
    }
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })
}
