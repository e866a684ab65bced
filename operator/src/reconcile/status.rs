//! What a stack's status says, and writing it. Everything but [`write`] is pure.
//!
//! A status is written only when it differs, and a transition time moves only when a condition flips: else the operator's
//! own write would wake it for ever. What each condition says is in `findings.rs`. To add one: a
//! function there, its line in [`of`], and its meaning in the README.

use ecommerce_contract::Service;
use ecommerce_types::Clock;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::events;
use super::findings::{Finding, OF_PODS, available, backends, degraded, image_that_runs, migrated, ready, services};
use super::{Context, Ended, Error, ReconcileOutcome};
use crate::crd::condition::{AVAILABLE, BACKENDS_READY, DEGRADED, MIGRATED, READY, Reason, SERVICES_READY};
use crate::crd::{EcommerceStack, EcommerceStackStatus, GatewayServiceType, ServiceStatus, StoreStatus};
use crate::names::{Backend, MANAGER};

/// The status after a reconcile that reached its end.
#[must_use]
pub fn of(outcome: &ReconcileOutcome<'_>) -> EcommerceStackStatus {
    let old = outcome.stack.status.clone().unwrap_or_default();
    let backends = backends(outcome);
    let migrated = migrated(outcome);
    let services = services(outcome);
    let degraded = degraded(outcome, [&migrated, &services]).with_its_page();
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
    set(&mut status, READY, Finding::new(false, Reason::FormerStackGoing, message), stack.metadata.generation, clock);
    status
}

/// The status after a reconcile that failed: what was known stays, and what failed is said.
#[must_use]
pub fn of_error(stack: &EcommerceStack, error: &Error, clock: &Clock) -> EcommerceStackStatus {
    let mut status = stack.status.clone().unwrap_or_default();
    let generation = stack.metadata.generation;
    if let Error::Invalid(_) = error {
        for (condition, holds) in [(READY, false), (DEGRADED, true)] {
            let finding = Finding::new(holds, Reason::Invalid, error.to_string()).with_its_page();
            set(&mut status, condition, finding, generation, clock);
        }
        return status;
    }
    let failed = |holds| {
        let message = format!("{error}; the operator tries again");
        Finding::new(holds, Reason::ReconcileFailed, message).with_its_page()
    };
    // One look that fails says nothing of the shop; after a second one nobody knows how it is.
    let again =
        status.conditions.iter().any(|one| one.type_ == DEGRADED && one.reason == Reason::ReconcileFailed.as_str());
    set(&mut status, DEGRADED, failed(Some(true)), generation, clock);
    if again {
        set(&mut status, READY, failed(Some(false)), generation, clock);
        set(&mut status, AVAILABLE, failed(None), generation, clock);
    }
    status
}

/// What a status says of the stack: whether it serves as its spec asks, and has done so for some time.
#[must_use]
pub fn ended(status: &EcommerceStackStatus) -> Ended {
    let is = |type_| status.conditions.iter().find(|condition| condition.type_ == type_ && condition.status == "True");
    let is_of_pods = |trouble: &Condition| OF_PODS.iter().any(|reason| trouble.reason == reason.as_str());
    let all_is_there = [BACKENDS_READY, MIGRATED, SERVICES_READY].into_iter().all(|part| is(part).is_some());
    let has_failed = |one: &Condition| {
        [Reason::MigrationFailed, Reason::ProvisioningFailed].iter().any(|reason| one.reason == reason.as_str())
    };
    let waits = all_is_there || status.conditions.iter().any(has_failed);
    match (is(READY), is(DEGRADED)) {
        (Some(_), Some(trouble)) if is_of_pods(trouble) => Ended::ReadyAgain,
        (Some(_), _) => Ended::Ready,
        (None, Some(_)) if waits => Ended::WaitsForAPerson,
        (None, _) => Ended::NotReady,
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
    let holds = match finding.holds {
        Some(true) => "True",
        Some(false) => "False",
        None => "Unknown",
    };
    let same = status.conditions.iter().find(|condition| condition.type_ == type_ && condition.status == holds);
    let last_transition_time = same.map_or_else(|| now(clock), |condition| condition.last_transition_time.clone());
    let condition = Condition {
        type_: type_.to_owned(),
        status: holds.to_owned(),
        reason: finding.reason.as_str().to_owned(),
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
#[must_use]
pub fn now(clock: &Clock) -> Time {
    Time(Timestamp::from_second(clock.now().unix_timestamp()).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn service_status(outcome: &ReconcileOutcome<'_>, service: Service) -> ServiceStatus {
    let deployment = outcome.observed.deployments.get(&outcome.names.service(service));
    let status = deployment.and_then(|deployment| deployment.status.as_ref());
    let runs = image_that_runs(outcome, service);
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
    let location = outcome.resolved.store(store);
    let volume = outcome.observed.volumes.get(&store).map(|volume| volume.taken.clone());
    let is_embedded = location.theirs.is_none();
    let image = || runs.unwrap_or_else(|| outcome.resolved.store_image(store).to_owned());
    StoreStatus {
        name: store.as_str().to_owned(),
        image: is_embedded.then(image),
        address: location.address(),
        ready: location.is_ready,
        // Another one may have been left by a stack of the name that had one.
        volume: volume.filter(|_| is_embedded),
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
