//! What each condition says: whether it holds, why in one word, and a sentence that says what to do. Pure.

use ecommerce_contract::Service;
use kube::ResourceExt as _;

use super::ReconcileOutcome;
use super::diagnose::Trouble;
use super::jobs::ADOPT_ANNOTATION;
use super::validate::{SpecProblem, held_by};
use crate::amount::thousandths;
use crate::crd::condition::{self, DEGRADED, Reason};
use crate::crd::{Keeper, MigrationState, MigrationStatus};
use crate::ledger::ProvisioningFailure;
use crate::names::Backend;
use crate::objects::Held;
use crate::rollout::{Failure, RETRY_ANNOTATION};

/// What a stack that is as asked for says.
const OPEN: &str = "the shop is open, on the payment simulator: no real money moves";
const ALL_ANSWER: &str = "postgres, rabbitmq and redis are ready";

/// Reasons that a pod makes true and false again every few seconds.
pub(super) const OF_PODS: [Reason; 2] = [Reason::PodsInTrouble, Reason::PodsRefused];

/// What of the other conditions needs a person.
const NOT_DONE: [Reason; 5] = [
    Reason::OtherDatabases,
    Reason::ProvisioningFailed,
    Reason::MigrationFailed,
    Reason::UpgradeFailed,
    Reason::ServiceNotReady,
];

/// Whether a condition holds, where that is known, its one word, and its sentence.
pub(super) struct Finding {
    pub(super) holds: Option<bool>,
    pub(super) reason: Reason,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn new(holds: impl Into<Option<bool>>, reason: Reason, message: impl Into<String>) -> Self {
        Self { holds: holds.into(), reason, message: message.into() }
    }

    pub(super) fn with_its_page(mut self) -> Self {
        if !self.reason.needs_nobody() {
            self.message = format!("{} ({})", self.message, condition::page(self.reason));
        }
        self
    }
}

pub(super) fn backends(outcome: &ReconcileOutcome<'_>) -> Finding {
    let has_changed =
        |backend: Backend| outcome.changed.contains(&format!("StatefulSet {}", outcome.names.backend(backend)));
    let waiting: Vec<&str> = Backend::ALL
        .into_iter()
        .filter(|backend| !outcome.resolved.store(*backend).is_steady || has_changed(*backend))
        .map(Backend::as_str)
        .collect();
    if !waiting.is_empty() {
        return Finding::new(false, Reason::WaitingForBackends, format!("waiting for {}", waiting.join(", ")));
    }
    if !outcome.queued.is_empty() {
        let queued: Vec<&str> = outcome.queued.iter().map(|store| store.as_str()).collect();
        let message = format!("{} will restart, after the pods of another stack have", queued.join(", "));
        return Finding::new(false, Reason::WaitingForBackends, message);
    }
    match not_shrunk(outcome) {
        None => Finding::new(true, Reason::BackendsReady, ALL_ANSWER),
        Some(stays) => Finding::new(true, Reason::VolumeNotShrunk, format!("{ALL_ANSWER}; {stays}")),
    }
}

/// The volumes that a spec asks to be smaller. What is asked for is there, so it keeps nothing from being ready; but a person who has
/// asked for it would wait for ever.
fn not_shrunk(outcome: &ReconcileOutcome<'_>) -> Option<String> {
    let stays = Backend::ALL.into_iter().filter_map(|store| {
        let asked = outcome.stack.spec.store(store)?.embedded.as_ref()?.storage.as_ref()?.size.as_ref()?;
        let taken = &outcome.observed.volumes.get(&store)?.taken;
        if thousandths(taken) <= thousandths(asked) {
            return None;
        }
        let store = store.as_str();
        Some(format!(
            "the volume of {store} stays at {taken}, for a volume can not shrink: say {taken} in spec.{store}.embedded.storage.size, which asks for {asked}, or take the size out"
        ))
    });
    let stays: Vec<String> = stays.collect();
    (!stays.is_empty()).then(|| stays.join("; "))
}

/// What of the stores of others is not the operator's.
fn not_ours(outcome: &ReconcileOutcome<'_>) -> Option<String> {
    let kept_by = |keepers: &[Keeper]| {
        let spec = &outcome.stack.spec;
        let stores = Backend::ALL.into_iter().filter(|store| keepers.contains(&spec.keeper(*store)));
        let stores: Vec<&str> = stores.map(Backend::as_str).collect();
        (!stores.is_empty()).then(|| stores.join(", "))
    };
    let run = kept_by(&[Keeper::Shared, Keeper::Others])?;
    let run = format!("others run {run}, and size, upgrade and back up what they run");
    let made = kept_by(&[Keeper::Others]).map(|stores| {
        format!("they make the logins at {stores} too, and say what each may: no service is kept from what is another's there")
    });
    Some([Some(run), made].into_iter().flatten().collect::<Vec<_>>().join("; "))
}

pub(super) fn migrated(outcome: &ReconcileOutcome<'_>) -> Finding {
    let progress = outcome.progress;
    if let Some(ProvisioningFailure { found: Some(found), .. }) = &progress.provisioning_failure {
        let secret = outcome.resolved.store(Backend::Postgres).next().map_or("", |next| next.secret.as_str());
        // Some would go on with the databases of before while others are told of these.
        let or_move = if outcome.observed.has_data_services(outcome.names) {
            "a shop moves by being deleted, with its data retained, and made anew".to_owned()
        } else {
            format!("or bring the shop's rows there, and then annotate the stack with {ADOPT_ANNOTATION}={found}")
        };
        let message = format!(
            "the Secret {secret}, which spec.postgres.external.secretRef names, leads to databases that are not known to be this shop's, and nothing was told of them: put the Secret back; {or_move}"
        );
        return Finding::new(false, Reason::OtherDatabases, message);
    }
    if let Some(ProvisioningFailure { message, retry_at, .. }) = &progress.provisioning_failure {
        let what = if outcome.resolved.any_external() {
            "not every store is as the services need it, and they go on with what was tried before"
        } else {
            "the databases could not be provisioned"
        };
        let message = format!("{what}; it is tried again at {}. The end of its log: {message}", retry_at.0);
        return Finding::new(false, Reason::ProvisioningFailed, message);
    }
    if let Some(failed) = progress.migrations.iter().find(|migration| migration.state == MigrationState::Failed) {
        return Finding::new(false, Reason::MigrationFailed, migration_failed(outcome, failed));
    }
    let waiting: Vec<&str> = Service::WITH_DATABASE
        .iter()
        .filter(|service| !progress.migrated.contains(service))
        .map(|service| service.as_str())
        .collect();
    if waiting.is_empty() {
        Finding::new(true, Reason::Migrated, "every database is as its service needs it")
    } else if progress.databases.is_empty() {
        Finding::new(false, Reason::Provisioning, "the databases are being made")
    } else {
        Finding::new(false, Reason::Migrating, format!("waiting for the migration of {}", waiting.join(", ")))
    }
}

/// What failed, of which version, what goes on, what to do; and last, for it is long, the end of its log.
fn migration_failed(outcome: &ReconcileOutcome<'_>, failed: &MigrationStatus) -> String {
    let MigrationStatus { service, image, key, retry_at, message, .. } = failed;
    let of_service = Service::ALL.into_iter().find(|one| one.as_str() == service);
    let before = of_service.and_then(|service| image_that_runs(outcome, service));
    let (goes_on, or_back) = match before.filter(|before| before != image) {
        Some(before) => {
            (format!("its pods go on with {before}"), ", or name in the spec the version that runs, to stay with it")
        }
        None => ("the pods that are there go on".to_owned(), ""),
    };
    let again = retry_at.as_ref().map_or_else(|| "later".to_owned(), |at| format!("at {}", at.0));
    let job = of_service.map(|service| outcome.names.migration_job(service, key)).unwrap_or_default();
    let namespace = &outcome.names.namespace;
    let log = message.as_deref().unwrap_or_default();
    format!(
        "the migration of {service} with {image} failed, and {goes_on}; it is tried again {again}. Mend what its log tells of (kubectl logs -n {namespace} job/{job}){or_back}. The end of its log: {log}"
    )
}

/// The image that a service's pods are to run, where there is a Deployment.
pub(super) fn image_that_runs(outcome: &ReconcileOutcome<'_>, service: Service) -> Option<String> {
    let deployment = outcome.observed.deployments.get(&outcome.names.service(service))?;
    deployment.spec.as_ref()?.template.spec.as_ref()?.containers.first()?.image.clone()
}

pub(super) fn services(outcome: &ReconcileOutcome<'_>) -> Finding {
    if let Some(failure) = &outcome.ledger.failed_upgrade {
        let Failure { service, image, message, .. } = failure;
        let has_others = outcome.resolved.any_external();
        let or_secrets = if has_others { " or the Secrets that its external stores name" } else { "" };
        return Finding::new(
            false,
            Reason::UpgradeFailed,
            format!(
                "{service} did not come up with {image} ({message}), so all services run what they ran before; mend the spec{or_secrets}, or annotate the stack with {RETRY_ANNOTATION}=<anything new>"
            ),
        );
    }
    let late = outcome.services.iter().find_map(|(service, known)| Some((service, known.missed.as_ref()?)));
    if let Some((service, message)) = late {
        return Finding::new(false, Reason::ServiceNotReady, format!("{service} is not ready in time: {message}"));
    }
    let has_changed =
        |service: Service| outcome.changed.contains(&format!("Deployment {}", outcome.names.service(service)));
    let waiting: Vec<String> = outcome
        .services
        .iter()
        .filter(|(service, known)| {
            !known.is_available || known.shows.as_ref() != Some(&known.wanted) || has_changed(**service)
        })
        .map(|(service, known)| match known.waits_for {
            Some(gate) => format!("{service} (for {gate})"),
            None => service.to_string(),
        })
        .collect();
    if waiting.is_empty() {
        Finding::new(true, Reason::ServicesReady, "every service is ready")
    } else {
        Finding::new(false, Reason::WaitingForServices, format!("waiting for {}", waiting.join(", ")))
    }
}

/// Whether it serves, in whatever form.
pub(super) fn available(outcome: &ReconcileOutcome<'_>) -> Finding {
    let stores = Backend::ALL.into_iter().filter(|backend| !outcome.resolved.store(*backend).is_steady);
    let services = Service::ALL.into_iter().filter(|service| {
        let deployment = outcome.observed.deployments.get(&outcome.names.service(*service));
        let available = deployment.and_then(|deployment| deployment.status.as_ref()?.available_replicas);
        available.unwrap_or_default() == 0
    });
    let away: Vec<&str> = stores.map(Backend::as_str).chain(services.map(Service::as_str)).collect();
    if away.is_empty() {
        Finding::new(true, Reason::Available, "every store and every service has a pod that serves")
    } else {
        Finding::new(false, Reason::Unavailable, format!("nothing serves for {}", away.join(", ")))
    }
}

pub(super) fn degraded(outcome: &ReconcileOutcome<'_>, parts: [&Finding; 2]) -> Finding {
    let holds = |problem: &&SpecProblem| {
        held_by(std::slice::from_ref(*problem), outcome.names, outcome.observed) != Held::default()
    };
    let (grave, harmless): (Vec<_>, Vec<_>) = outcome.problems.iter().partition(holds);
    let of_problem = |problem: &SpecProblem| Finding::new(true, problem.reason(), problem.to_string());
    let refusals = outcome.refusals.iter().map(|refusal| Finding::new(true, refusal.reason(), refusal.to_string()));
    let parts = parts.into_iter().filter(|part| NOT_DONE.contains(&part.reason));
    let parts = parts.map(|part| Finding::new(true, part.reason, part.message.clone()));
    let trouble = outcome.trouble.map(|Trouble { reason, sentence }| Finding::new(true, *reason, sentence.clone()));
    // Of what was taken back for it, that tells it too.
    let is_told = |trouble: &Finding| harmless.iter().any(|problem| problem.to_string().contains(&trouble.message));
    let trouble = trouble.or_else(|| of_before(outcome)).filter(|trouble| !is_told(trouble));
    let mut succeeded =
        outcome.progress.migrations.iter().filter(|migration| migration.state == MigrationState::Succeeded);
    let notice = succeeded.find_map(|migration| migration.message.as_ref()).map(|notice| {
        // The service that says it does not know its stack's name.
        Finding::new(true, Reason::MigrationNotice, notice.replace("<stack>", &outcome.names.stack))
    });
    let found = grave.into_iter().map(of_problem).chain(refusals).chain(parts).chain(trouble);
    together(found.chain(harmless.into_iter().map(of_problem)).chain(notice))
        .unwrap_or_else(|| Finding::new(false, Reason::AsExpected, "nothing needs a person"))
}

/// Everything that is found, under the reason of what comes first. What one sentence tells of already is not told again.
fn together(found: impl Iterator<Item = Finding>) -> Option<Finding> {
    found.reduce(|mut told, further| {
        if !told.message.contains(&further.message) {
            told.message = format!("{}; {}", told.message, further.message);
        }
        told
    })
}

/// Trouble with pods that may be over: it is told until that is sure. A pod that is gone is in no trouble.
fn of_before(outcome: &ReconcileOutcome<'_>) -> Option<Finding> {
    let conditions = &outcome.stack.status.as_ref()?.conditions;
    let was = conditions.iter().find(|condition| condition.type_ == DEGRADED && condition.status == "True")?;
    let reason = OF_PODS.into_iter().find(|reason| was.reason == reason.as_str()).filter(|_| !outcome.is_calm)?;
    let message = was.message.strip_suffix(&format!(" ({})", condition::page(reason))).unwrap_or(&was.message);
    let pod = message.strip_prefix("pod ").and_then(|rest| rest.split(' ').next());
    let is_gone = pod.is_some_and(|pod| outcome.observed.pods.iter().all(|there| there.name_any() != pod));
    (!is_gone).then(|| Finding::new(true, reason, message))
}

/// `Ready` is as asked for, and its message is what `kubectl get` shows beside it, so both tell one story: True says that the shop is
/// open and what there is to know of it, False says first what a person has to mend and else what is waited for. A stack that serves and
/// has something to be mended is not ready: what is asked for next would not be done. That it serves all the same says `Available`.
pub(super) fn ready(outcome: &ReconcileOutcome<'_>, parts: [&Finding; 3], degraded: &Finding) -> Finding {
    let unready = parts.into_iter().find(|finding| finding.holds != Some(true));
    if !outcome.problems.is_empty() {
        return Finding::new(false, degraded.reason, degraded.message.clone());
    }
    if outcome.stack.spec.is_paused() {
        let paused = "spec.paused is true: the operator changes nothing until it is taken out";
        let (is_open, how_it_is) = unready.map_or((true, OPEN), |finding| (false, finding.message.as_str()));
        return Finding::new(is_open, Reason::Paused, format!("{how_it_is}; {paused}"));
    }
    if !outcome.refusals.is_empty() {
        return Finding::new(false, degraded.reason, degraded.message.clone());
    }
    let is_notice = degraded.reason == Reason::MigrationNotice;
    match unready {
        None => {
            let notice = is_notice.then(|| format!("but {}", degraded.message));
            let said = [Some(OPEN.to_owned()), notice, not_shrunk(outcome), not_ours(outcome)];
            Finding::new(true, Reason::Ready, said.into_iter().flatten().collect::<Vec<_>>().join("; "))
        }
        Some(_) if degraded.holds == Some(true) && !is_notice => {
            Finding::new(false, degraded.reason, degraded.message.clone())
        }
        Some(finding) => Finding::new(false, finding.reason, finding.message.clone()),
    }
}
