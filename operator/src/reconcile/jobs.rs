//! What provisioning and migrations did, read from their Jobs and kept in the ledger, for the Jobs go. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecommerce_contract::Service;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use serde::Deserialize;

use super::dereference::Observed;
use crate::crd::{MigrationState, MigrationStatus};
use crate::ledger::{Ledger, ProvisioningFailure};
use crate::names::{Backend, Names, short_hash};
use crate::objects::{Held, MIGRATE, PROVISION, migration_is_held, migration_key};
use crate::resolve::Resolved;

/// After this time a Job is made again that failed, or that left something for a person to do.
pub const RETRY: Duration = Duration::from_mins(5);
/// How much of a failed one's log a condition shows, in characters.
const LOG_END: usize = 600;

/// Which databases are taken for the shop's.
#[derive(Debug, Clone, Copy)]
pub enum Adopts<'a> {
    /// All: they are on the stack's own server.
    Any,
    /// On a server of others: those of before, or, where none are known, of the address that is in force.
    OfBefore {
        /// Whether what was tried is in force already, or nothing is.
        is_in_force: bool,
    },
    /// The same, or, for no service is there that would go on with others, those for which this stands, which a person has said with
    /// [`ADOPT_ANNOTATION`].
    Named(&'a str),
}

/// The annotation with which a person says that other databases are the shop's from now on.
pub const ADOPT_ANNOTATION: &str = "ecommercestack.dev/adopt";

/// How far a stack's databases are.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// The key that the databases were provisioned from.
    pub provisioned_from: Option<String>,
    /// Why they are not provisioned, where the Job failed; until the next one has ended.
    pub provisioning_failure: Option<ProvisioningFailure>,
    /// The id in each database.
    pub databases: BTreeMap<Service, String>,
    /// The last migration of each service.
    pub migrations: Vec<MigrationStatus>,
    /// The services whose database is as their image needs it.
    pub migrated: BTreeSet<Service>,
    /// Those of them whose migration left nothing for a person to do.
    pub settled: BTreeSet<Service>,
    /// Jobs that are to be made again, and when.
    pub retries: BTreeMap<String, Time>,
    /// Jobs that failed and went before it was time to make them again.
    pub not_yet: BTreeSet<String>,
    /// The Jobs of today's server, images and passwords, whether they are to be made or not.
    pub current: BTreeSet<String>,
}

impl Progress {
    /// What the ledger says.
    #[must_use]
    pub fn recorded(ledger: &Ledger) -> Self {
        let service_of = |name: &String| Service::ALL.into_iter().find(|service| service.as_str() == name);
        let databases = ledger.databases.iter();
        Self {
            provisioned_from: ledger.provisioned_from.clone(),
            provisioning_failure: ledger.provisioning_failure.clone(),
            databases: databases.filter_map(|(service, id)| Some((service_of(service)?, id.clone()))).collect(),
            migrations: ledger.migrations.clone(),
            ..Self::default()
        }
    }

    /// Writes it into the ledger.
    pub fn record(&self, ledger: &mut Ledger) {
        ledger.provisioned_from.clone_from(&self.provisioned_from);
        ledger.provisioning_failure.clone_from(&self.provisioning_failure);
        ledger.databases = self.databases.iter().map(|(service, id)| (service.to_string(), id.clone())).collect();
        ledger.migrations.clone_from(&self.migrations);
    }

    /// The Jobs whose time has come.
    #[must_use]
    pub fn due(&self, now: &Time) -> Vec<String> {
        self.retries.iter().filter(|(_, at)| at.0 <= now.0).map(|(name, _)| name.clone()).collect()
    }

    /// Takes in what the provisioning Job of this key did.
    pub fn see_provisioning(
        &mut self,
        names: &Names,
        key: Option<&str>,
        adopts: Adopts<'_>,
        observed: &Observed,
        now: &Time,
    ) {
        let Some(key) = key else { return };
        self.current.insert(names.provisioning_job(key));
        if self.provisioned_from.as_deref() == Some(key) {
            self.provisioning_failure = None;
            return;
        }
        // A Job of this key may have set some passwords already when those of before come back: it is then done again.
        self.provisioned_from = None;
        self.provisioning_failure = self.provisioning_failure.take().filter(|failure| failure.key == key);
        let name = names.provisioning_job(key);
        // One that is on its way out was made for other passwords, which came back.
        let Some(job) = observed.jobs.get(&name).filter(|job| job.metadata.deletion_timestamp.is_none()) else {
            if self.provisioning_failure.as_ref().is_some_and(|failure| failure.retry_at.0 > now.0) {
                self.not_yet.insert(name);
            }
            return;
        };
        match end_of(job, PROVISION, &observed.pods) {
            Some(End::Complete(at)) => match last_words(&name, PROVISION, &observed.pods).and_then(ids) {
                Some(ids) if !self.may_be(&ids, adopts) => {
                    self.provisioning_failure = Some(ProvisioningFailure {
                        key: key.to_owned(),
                        message: "the databases are not those of before".to_owned(),
                        retry_at: later(&at),
                        found: Some(what_stands_for(&ids)),
                    });
                }
                Some(ids) => {
                    self.databases = ids;
                    self.provisioned_from = Some(key.to_owned());
                    self.provisioning_failure = None;
                }
                // The pod went before anyone read it: once more, which changes nothing and tells the ids.
                None => {
                    self.retries.insert(name, at);
                }
            },
            Some(End::Failed(at, why)) => {
                let message = last_words(&name, PROVISION, &observed.pods).map_or(why, tail);
                let retry_at = later(&at);
                self.retries.insert(name, retry_at.clone());
                self.provisioning_failure =
                    Some(ProvisioningFailure { key: key.to_owned(), message, retry_at, found: None });
            }
            None => {}
        }
    }

    /// Whether these are the shop's databases.
    fn may_be(&self, ids: &BTreeMap<Service, String>, adopts: Adopts<'_>) -> bool {
        let are_known = self.databases.iter().all(|(service, id)| ids.get(service) == Some(id));
        match adopts {
            Adopts::Any => true,
            // Who has taken the ledger away has not said that these are the shop's.
            Adopts::OfBefore { is_in_force } => are_known && (is_in_force || !self.databases.is_empty()),
            Adopts::Named(said) => are_known || said == what_stands_for(ids),
        }
    }

    /// Takes in what the migration Jobs of these images did. What one is to be told that has to be mended first is as it was.
    pub fn see_migrations(
        &mut self,
        names: &Names,
        resolved: &Resolved,
        observed: &Observed,
        held: &Held,
        time: &Time,
    ) {
        let mut migrations = Vec::new();
        let server_id = resolved.store(Backend::Postgres).server_id.as_deref();
        for service in Service::WITH_DATABASE {
            let Some(database_id) = self.databases.get(&service) else { continue };
            let image = resolved.image(service);
            let of_before = self.migrations.iter().find(|one| one.service == service.as_str() && one.image == image);
            let stays = server_id.is_none() || migration_is_held(names, held, service);
            let key = if let Some(before) = of_before.filter(|_| stays) {
                before.key.clone()
            } else {
                let database = (server_id.unwrap_or_default(), database_id.as_str());
                migration_key(names, &observed.credentials, service, image, database)
            };
            let name = names.migration_job(service, &key);
            self.current.insert(name.clone());
            let recorded = self.migrations.iter().find(|one| one.key == key);
            let succeeded = recorded.filter(|one| one.state == MigrationState::Succeeded);
            let now = match succeeded {
                Some(settled) if settled.message.is_none() => settled.clone(),
                _ => {
                    let seen = see_migration(service, image, key, &name, observed);
                    if let Some(at) = &seen.retry_at {
                        self.retries.insert(name.clone(), at.clone());
                    }
                    let is_gone = !observed.jobs.contains_key(&name);
                    if is_gone && recorded.and_then(|one| one.retry_at.as_ref()).is_some_and(|at| at.0 > time.0) {
                        self.not_yet.insert(name);
                    }
                    // Made again, it says nothing new until it has ended.
                    let ended = seen.state != MigrationState::Running;
                    recorded.filter(|one| !ended && one.state != MigrationState::Running).cloned().unwrap_or(seen)
                }
            };
            if now.state == MigrationState::Succeeded {
                self.migrated.insert(service);
                if now.message.is_none() {
                    self.settled.insert(service);
                }
            }
            migrations.push(now);
        }
        self.migrations = migrations;
    }
}

fn see_migration(service: Service, image: &str, key: String, name: &str, observed: &Observed) -> MigrationStatus {
    let running = MigrationStatus {
        service: service.to_string(),
        image: image.to_owned(),
        key,
        state: MigrationState::Running,
        finished_at: None,
        retry_at: None,
        message: None,
    };
    match observed.jobs.get(name).and_then(|job| end_of(job, MIGRATE, &observed.pods)) {
        None => running,
        Some(End::Complete(at)) => {
            let message = last_words(name, MIGRATE, &observed.pods).map(tail);
            let retry_at = message.is_some().then(|| later(&at));
            MigrationStatus { state: MigrationState::Succeeded, finished_at: Some(at), retry_at, message, ..running }
        }
        Some(End::Failed(at, why)) => MigrationStatus {
            state: MigrationState::Failed,
            retry_at: Some(later(&at)),
            finished_at: Some(at),
            message: Some(last_words(name, MIGRATE, &observed.pods).map_or(why, tail)),
            ..running
        },
    }
}

enum End {
    Complete(Time),
    /// When and, from Kubernetes, why.
    Failed(Time, String),
}

/// How a Job ended. It went well as soon as its container did: Kubernetes says so of the Job some two seconds later, or never where
/// something was put in beside the container that does not end. That it failed is for Kubernetes to say, which tries a few times.
fn end_of(job: &Job, container: &str, pods: &[Pod]) -> Option<End> {
    said_of(job).or_else(|| pods_of_job(pods, &job.name_any()).find_map(|pod| well_ended(job, container, pod)))
}

/// The pod of a Job of before may still be there under the same name.
fn well_ended(job: &Job, container: &str, pod: &Pod) -> Option<End> {
    let is_its_own = pod.owner_references().iter().any(|owner| Some(&owner.uid) == job.metadata.uid.as_ref());
    let ended = ended(pod, container).filter(|ended| is_its_own && ended.exit_code == 0)?;
    Some(End::Complete(ended.finished_at.clone()?))
}

fn ended<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStateTerminated> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    containers.iter().find(|status| status.name == container)?.state.as_ref()?.terminated.as_ref()
}

/// Whether a pod of ours has ended its work, which is when there is something to see.
#[must_use]
pub fn has_work_behind_it(pod: &Pod) -> bool {
    [PROVISION, MIGRATE].into_iter().any(|container| ended(pod, container).is_some())
}

fn said_of(job: &Job) -> Option<End> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let at = |condition: &k8s_openapi::api::batch::v1::JobCondition| {
        condition.last_transition_time.clone().or_else(|| job.metadata.creation_timestamp.clone())
    };
    conditions.iter().filter(|condition| condition.status == "True").find_map(|condition| {
        match condition.type_.as_str() {
            "Complete" => Some(End::Complete(at(condition)?)),
            "Failed" => Some(End::Failed(at(condition)?, condition.message.clone().unwrap_or_default())),
            _ => None,
        }
    })
}

/// Whether a Job has ended well.
#[must_use]
pub fn has_succeeded(job: &Job) -> bool {
    matches!(said_of(job), Some(End::Complete(_)))
}

/// Whether a Job has ended, well or not.
#[must_use]
pub fn has_ended(job: &Job) -> bool {
    said_of(job).is_some()
}

/// The pods of a Job.
pub fn pods_of_job<'a>(pods: &'a [Pod], job: &str) -> impl Iterator<Item = &'a Pod> {
    let is_of_job = move |pod: &&Pod| pod.labels().get("batch.kubernetes.io/job-name").is_some_and(|name| name == job);
    pods.iter().filter(is_of_job)
}

/// What this container of the last pod of a Job wrote before it ended; another may have been put in beside it.
fn last_words<'a>(job: &str, container: &str, pods: &'a [Pod]) -> Option<&'a str> {
    let last = pods_of_job(pods, job).max_by_key(|pod| pod.metadata.creation_timestamp.clone())?;
    let message = ended(last, container)?.message.as_deref()?;
    (!message.trim().is_empty()).then_some(message)
}

fn ids(message: &str) -> Option<BTreeMap<Service, String>> {
    let mut ids: BTreeMap<String, String> = serde_json::from_str(message).ok()?;
    Service::WITH_DATABASE.into_iter().map(|service| Some((service, ids.remove(service.as_str())?))).collect()
}

/// Short enough to be typed.
fn what_stands_for(ids: &BTreeMap<Service, String>) -> String {
    short_hash(ids.iter().flat_map(|(service, id)| [service.as_str(), id]))
}

/// The end of a log on one line, for `kubectl get` cuts a message off where its first line ends. Where errors are told, they alone.
fn tail(text: &str) -> String {
    let is_error = |line: &&str| serde_json::from_str::<Level>(line).is_ok_and(|line| line.level == "ERROR");
    let errors: Vec<&str> = text.lines().filter(is_error).collect();
    let lines = if errors.is_empty() { text.lines().collect() } else { errors };
    let said: Vec<String> =
        lines.into_iter().map(|line| readable(line.trim())).filter(|line| !line.is_empty()).collect();
    let said = said.join("; ");
    let skipped = said.chars().count().saturating_sub(LOG_END);
    said.chars().skip(skipped).collect()
}

/// How grave a line of our own logs is.
#[derive(Deserialize)]
struct Level {
    level: String,
}

/// A line of our own logs as a person reads it: its sentence and what went wrong.
fn readable(line: &str) -> String {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(line) else { return line.to_owned() };
    let text = |name: &str| fields.get(name).and_then(serde_json::Value::as_str);
    match (text("message"), text("error")) {
        (Some(message), Some(error)) => format!("{message}: {error}"),
        (Some(message), None) => message.to_owned(),
        _ => line.to_owned(),
    }
}

fn later(at: &Time) -> Time {
    Time(at.0.saturating_add(RETRY).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_one_line_of_what_went_wrong() {
        let log = concat!(
            r#"{"level":"INFO","message":"relation \"_sqlx_migrations\" already exists, skipping"}"#,
            "\n",
            r#"{"level":"ERROR","message":"the process failed","error":"the password is too short"}"#,
            "\n"
        );
        assert_eq!(tail(log), "the process failed: the password is too short");
        assert_eq!(
            tail("error: unrecognized subcommand 'migrate'\n\n  Usage: gateway serve\n"),
            "error: unrecognized subcommand 'migrate'; Usage: gateway serve"
        );
        assert_eq!(tail(&"x".repeat(LOG_END + 1)).len(), LOG_END);
    }
}
