//! What a stack's status says, and writing it. Everything but [`write`] is pure.
//!
//! A status is written only when it differs, and a transition time moves only when a condition flips: else the operator's
//! own write would wake it for ever. To add a condition: a function here, its line in [`of`], and its meaning in the README.

use ecommerce_contract::Service;
use ecommerce_types::Clock;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::diagnose::Trouble;
use super::events;
use super::{Context, Ended, Error, ReconcileOutcome};
use crate::crd::condition::{self, AVAILABLE, BACKENDS_READY, DEGRADED, MIGRATED, READY, SERVICES_READY};
use crate::crd::{
    EcommerceStack, EcommerceStackStatus, GatewayServiceType, MigrationState, ServiceStatus, StoreStatus,
};
use crate::names::{Backend, MANAGER};
use crate::rollout::{Failure, RETRY_ANNOTATION};

/// What a stack that is as asked for says.
const OPEN: &str = "the shop is open, on the payment simulator: no real money moves";

/// Reasons that a pod makes true and false again every few seconds.
const OF_PODS: [&str; 2] = ["PodsInTrouble", "PodsRefused"];

/// What a migration wants a person to know, and what keeps nothing from being ready.
const NOTICE: &str = "MigrationNotice";

/// Whether a condition holds, its one word, and its sentence.
struct Finding {
    holds: bool,
    reason: &'static str,
    message: String,
}

impl Finding {
    fn new(holds: bool, reason: &'static str, message: impl Into<String>) -> Self {
        Self { holds, reason, message: message.into() }
    }
}

impl Finding {
    fn with_its_page(mut self) -> Self {
        if self.reason != "AsExpected" {
            self.message = format!("{} ({})", self.message, condition::page(self.reason));
        }
        self
    }
}

/// The status after a reconcile that reached its end.
#[must_use]
pub fn of(outcome: &ReconcileOutcome<'_>) -> EcommerceStackStatus {
    let old = outcome.stack.status.clone().unwrap_or_default();
    let backends = backends(outcome);
    let migrated = migrated(outcome);
    let services = services(outcome);
    let degraded = degraded(outcome).with_its_page();
    let available = available(outcome);
    let ready = ready(outcome, [&backends, &migrated, &services], &degraded);
    let mut status = EcommerceStackStatus {
        observed_generation: outcome.stack.metadata.generation,
        conditions: old.conditions,
        endpoint: Some(endpoint(outcome)),
        version: Some(outcome.resolved.version.clone()),
        migrations: outcome.progress.migrations.clone(),
        services: Service::ALL.map(|service| service_status(outcome, service)).to_vec(),
        stores: Backend::ALL.map(|store| store_status(outcome, store)).to_vec(),
    };
    for (type_, finding) in [
        (READY, ready),
        (AVAILABLE, available),
        (BACKENDS_READY, backends),
        (MIGRATED, migrated),
        (SERVICES_READY, services),
        (DEGRADED, degraded),
    ] {
        set(&mut status, type_, finding, outcome.stack.metadata.generation, outcome.clock);
    }
    status
}

/// The status while something of a former stack of the name is still there: what was made now would go with it.
#[must_use]
pub fn behind_former(stack: &EcommerceStack, of_former: &[String], clock: &Clock) -> EcommerceStackStatus {
    let mut status = stack.status.clone().unwrap_or_default();
    let message = format!(
        "a stack of this name was deleted, and Kubernetes is taking away what went with it; this one begins when it is gone: {}",
        of_former.join(", ")
    );
    set(&mut status, READY, Finding::new(false, "FormerStackGoing", message), stack.metadata.generation, clock);
    status
}

/// The status after a reconcile that failed: what was known stays, and what failed is said.
#[must_use]
pub fn of_error(stack: &EcommerceStack, error: &Error, clock: &Clock) -> EcommerceStackStatus {
    let mut status = stack.status.clone().unwrap_or_default();
    let generation = stack.metadata.generation;
    if let Error::Invalid(_) = error {
        for (condition, holds) in [(READY, false), (DEGRADED, true)] {
            let finding = Finding::new(holds, "Invalid", error.to_string()).with_its_page();
            set(&mut status, condition, finding, generation, clock);
        }
        return status;
    }
    let message = format!("{error}; the operator tries again");
    let finding = Finding::new(true, "ReconcileFailed", message).with_its_page();
    set(&mut status, DEGRADED, finding, generation, clock);
    status
}

/// What a status says of the stack: whether it serves as its spec asks, and has done so for some time.
#[must_use]
pub fn ended(status: &EcommerceStackStatus) -> Ended {
    let is = |type_| status.conditions.iter().find(|condition| condition.type_ == type_ && condition.status == "True");
    match (is(READY), is(DEGRADED)) {
        (None, _) => Ended::NotReady,
        (Some(_), Some(trouble)) if OF_PODS.contains(&trouble.reason.as_str()) => Ended::ReadyAgain,
        (Some(_), Some(trouble)) if trouble.reason != NOTICE => Ended::WaitsForAPerson,
        (Some(_), _) => Ended::Ready,
    }
}

/// Writes a status that differs from the stack's, and tells what flipped as Events.
pub async fn write(stack: &EcommerceStack, status: &EcommerceStackStatus, context: &Context) -> Result<(), Error> {
    if stack.status.as_ref() == Some(status) {
        return Ok(());
    }
    let patch = json!({
        "apiVersion": "ecommercestack.dev/v1alpha1",
        "kind": "EcommerceStack",
        "metadata": {"name": stack.name_any(), "uid": stack.metadata.uid},
        "status": status,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    // Untyped: a stack that does not read has a status too.
    let resource = ApiResource::erase::<EcommerceStack>(&());
    let namespace = stack.namespace().unwrap_or_default();
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &namespace, &resource);
    let written = api.patch_status(&stack.name_any(), &parameters, &Patch::Apply(&patch)).await;
    written.map_err(Error::api("write the stack's status"))?;
    events::publish(stack, status, &context.client).await;
    Ok(())
}

fn set(status: &mut EcommerceStackStatus, type_: &str, finding: Finding, generation: Option<i64>, clock: &Clock) {
    let holds = if finding.holds { "True" } else { "False" };
    let same = status.conditions.iter().find(|condition| condition.type_ == type_ && condition.status == holds);
    let last_transition_time = same.map_or_else(|| now(clock), |condition| condition.last_transition_time.clone());
    let condition = Condition {
        type_: type_.to_owned(),
        status: holds.to_owned(),
        reason: finding.reason.to_owned(),
        message: finding.message,
        observed_generation: generation,
        last_transition_time,
    };
    match status.conditions.iter_mut().find(|condition| condition.type_ == type_) {
        Some(there) => *there = condition,
        None => status.conditions.push(condition),
    }
}

/// Whole seconds, as Kubernetes keeps times.
pub(super) fn now(clock: &Clock) -> Time {
    Time(Timestamp::from_second(clock.now().unix_timestamp()).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn backends(outcome: &ReconcileOutcome<'_>) -> Finding {
    let waiting: Vec<&str> = Backend::ALL
        .into_iter()
        .filter(|backend| !outcome.resolved.store(*backend).is_steady)
        .map(Backend::as_str)
        .collect();
    if waiting.is_empty() {
        Finding::new(true, "BackendsReady", "postgres, rabbitmq and redis are ready")
    } else {
        Finding::new(false, "WaitingForBackends", format!("waiting for {}", waiting.join(", ")))
    }
}

fn migrated(outcome: &ReconcileOutcome<'_>) -> Finding {
    let progress = outcome.progress;
    if let Some(failure) = &progress.provisioning_failure {
        let message = format!("the databases could not be provisioned, which is tried again: {}", failure.message);
        return Finding::new(false, "ProvisioningFailed", message);
    }
    let failed = progress.migrations.iter().find(|migration| migration.state == MigrationState::Failed);
    if let Some(failed) = failed {
        let (service, image) = (&failed.service, &failed.image);
        let log = failed.message.as_deref().unwrap_or_default();
        return Finding::new(
            false,
            "MigrationFailed",
            format!(
                "the migration of {service} with {image} failed, the pods that were there go on; it is tried again, or name another version. The end of its log: {log}"
            ),
        );
    }
    let waiting: Vec<&str> = Service::WITH_DATABASE
        .iter()
        .filter(|service| !progress.migrated.contains(service))
        .map(|service| service.as_str())
        .collect();
    if waiting.is_empty() {
        Finding::new(true, "Migrated", "every database is as its service needs it")
    } else if progress.databases.is_empty() {
        Finding::new(false, "Provisioning", "the databases are being made")
    } else {
        Finding::new(false, "Migrating", format!("waiting for the migration of {}", waiting.join(", ")))
    }
}

fn services(outcome: &ReconcileOutcome<'_>) -> Finding {
    if let Some(failure) = &outcome.ledger.failed_upgrade {
        let Failure { service, image, message, .. } = failure;
        return Finding::new(
            false,
            "UpgradeFailed",
            format!(
                "{service} did not come up with {image} ({message}), so all services run what they ran before; mend the spec, or annotate the stack with {RETRY_ANNOTATION}=<anything new>"
            ),
        );
    }
    let late = outcome.services.iter().find_map(|(service, known)| Some((service, known.missed.as_ref()?)));
    if let Some((service, message)) = late {
        return Finding::new(false, "ServiceNotReady", format!("{service} is not ready in time: {message}"));
    }
    let waiting: Vec<String> = outcome
        .services
        .iter()
        .filter(|(_, known)| !(known.is_available && known.shows.as_ref() == Some(&known.wanted)))
        .map(|(service, known)| match known.waits_for {
            Some(gate) => format!("{service} (for {gate})"),
            None => service.to_string(),
        })
        .collect();
    if waiting.is_empty() {
        Finding::new(true, "ServicesReady", "every service is ready")
    } else {
        Finding::new(false, "WaitingForServices", format!("waiting for {}", waiting.join(", ")))
    }
}

/// Whether it serves, in whatever form.
fn available(outcome: &ReconcileOutcome<'_>) -> Finding {
    let stores = Backend::ALL.into_iter().filter(|backend| !outcome.resolved.store(*backend).is_steady);
    let services = Service::ALL.into_iter().filter(|service| {
        let deployment = outcome.observed.deployments.get(&outcome.names.service(*service));
        let available = deployment.and_then(|deployment| deployment.status.as_ref()?.available_replicas);
        available.unwrap_or_default() == 0
    });
    let away: Vec<&str> = stores.map(Backend::as_str).chain(services.map(Service::as_str)).collect();
    if away.is_empty() {
        Finding::new(true, "Available", "every store and every service has a pod that serves")
    } else {
        Finding::new(false, "Unavailable", format!("nothing serves for {}", away.join(", ")))
    }
}

fn degraded(outcome: &ReconcileOutcome<'_>) -> Finding {
    if let Some(first) = outcome.problems.first() {
        let all: Vec<String> = outcome.problems.iter().map(ToString::to_string).collect();
        return Finding::new(true, first.reason(), all.join("; "));
    }
    if let Some(first) = outcome.refusals.first() {
        let all: Vec<String> = outcome.refusals.iter().map(ToString::to_string).collect();
        return Finding::new(true, first.reason(), all.join("; "));
    }
    for part in [migrated(outcome), services(outcome)] {
        if matches!(part.reason, "ProvisioningFailed" | "MigrationFailed" | "UpgradeFailed" | "ServiceNotReady") {
            return Finding::new(true, part.reason, part.message);
        }
    }
    if let Some(Trouble { reason, sentence }) = outcome.trouble {
        return Finding::new(true, reason, sentence);
    }
    if let Some(finding) = of_before(outcome) {
        return finding;
    }
    let mut succeeded =
        outcome.progress.migrations.iter().filter(|migration| migration.state == MigrationState::Succeeded);
    match succeeded.find_map(|migration| migration.message.clone()) {
        // The service that says it does not know its stack's name.
        Some(notice) => Finding::new(true, NOTICE, notice.replace("<stack>", &outcome.names.stack)),
        None => Finding::new(false, "AsExpected", "nothing needs a person"),
    }
}

/// Trouble with pods that may be over: it is told until that is sure. A pod that is gone is in no trouble.
fn of_before(outcome: &ReconcileOutcome<'_>) -> Option<Finding> {
    let conditions = &outcome.stack.status.as_ref()?.conditions;
    let was = conditions.iter().find(|condition| condition.type_ == DEGRADED && condition.status == "True")?;
    let reason = OF_PODS.into_iter().find(|reason| was.reason == *reason).filter(|_| !outcome.is_calm)?;
    let message = was.message.strip_suffix(&format!(" ({})", condition::page(reason))).unwrap_or(&was.message);
    let pod = message.strip_prefix("pod ").and_then(|rest| rest.split(' ').next());
    let is_gone = pod.is_some_and(|pod| outcome.observed.pods.iter().all(|there| there.name_any() != pod));
    (!is_gone).then(|| Finding::new(true, reason, message))
}

fn ready(outcome: &ReconcileOutcome<'_>, parts: [&Finding; 3], degraded: &Finding) -> Finding {
    let unready = parts.into_iter().find(|finding| !finding.holds);
    if let Some(problem) = outcome.problems.first() {
        return Finding::new(
            unready.is_none(),
            problem.reason(),
            format!("what needs this is left as it is until it is mended: {}", degraded.message),
        );
    }
    if outcome.stack.spec.is_paused() {
        let message = "spec.paused is true: the operator changes nothing until it is taken out";
        return Finding::new(unready.is_none(), "Paused", message);
    }
    let refused = outcome.refusals.first().map(|_| degraded);
    match (unready, refused) {
        (None, None) if degraded.reason == NOTICE => {
            Finding::new(true, "Ready", format!("{OPEN}; but {}", degraded.message))
        }
        (None, None) => Finding::new(true, "Ready", OPEN),
        (_, Some(degraded)) => Finding::new(false, degraded.reason, degraded.message.clone()),
        (Some(_), None) if degraded.holds && degraded.reason != NOTICE => {
            Finding::new(false, degraded.reason, degraded.message.clone())
        }
        (Some(finding), None) => Finding::new(false, finding.reason, finding.message.clone()),
    }
}

fn service_status(outcome: &ReconcileOutcome<'_>, service: Service) -> ServiceStatus {
    let deployment = outcome.observed.deployments.get(&outcome.names.service(service));
    let status = deployment.and_then(|deployment| deployment.status.as_ref());
    let runs = deployment.and_then(|deployment| deployment.spec.as_ref()?.template.spec.as_ref()?.containers.first());
    let runs = runs.and_then(|container| container.image.clone());
    ServiceStatus {
        name: service.to_string(),
        image: runs.unwrap_or_else(|| outcome.resolved.image(service).to_owned()),
        replicas: deployment.and_then(|deployment| deployment.spec.as_ref()?.replicas).unwrap_or(1),
        ready: status.and_then(|status| status.ready_replicas).unwrap_or_default(),
    }
}

fn store_status(outcome: &ReconcileOutcome<'_>, store: Backend) -> StoreStatus {
    let set = outcome.observed.stateful_sets.get(&outcome.names.backend(store));
    let runs = set.and_then(|set| set.spec.as_ref()?.template.spec.as_ref()?.containers.first()?.image.clone());
    StoreStatus {
        name: store.as_str().to_owned(),
        image: runs.unwrap_or_else(|| outcome.resolved.store_image(store).to_owned()),
        ready: outcome.resolved.store(store).is_ready,
        volume: outcome.observed.volumes.get(&store).cloned(),
    }
}

fn endpoint(outcome: &ReconcileOutcome<'_>) -> String {
    if let Some(ingress) = outcome.stack.spec.ingress() {
        let scheme = if ingress.tls_secret.is_some() { "https" } else { "http" };
        return format!("{scheme}://{}", ingress.host);
    }
    let gateway = outcome.names.service(Service::Gateway);
    let balanced = outcome.observed.services.get(&gateway).and_then(|service| {
        let is_balanced = service.spec.as_ref()?.type_.as_deref()? == GatewayServiceType::LoadBalancer.as_str();
        let ingress = service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?.first()?;
        is_balanced.then(|| ingress.hostname.clone().or_else(|| ingress.ip.clone())).flatten()
    });
    let host = balanced.unwrap_or_else(|| format!("{gateway}.{}.svc", outcome.names.namespace));
    format!("http://{host}:8080")
}
