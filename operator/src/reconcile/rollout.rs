//! What a rollout is decided from, read from what is there. Pure.

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::dereference::Observed;
use super::diagnose;
use super::ledger::shown_by;
use crate::crd::EcommerceStack;
use crate::credentials::WITH_REDIS;
use crate::ledger::Ledger;
use crate::names::{Backend, Names};
use crate::objects::addresses::stores_of;
use crate::objects::{
    CHECKSUM, Inputs, PROGRESS_DEADLINE_SECONDS, Revision, Shown, configuration, provisioning_key, store_configuration,
};
use crate::resolve::Resolved;
use crate::rollout::{Around, Known, RETRY_ANNOTATION, wave_of};

/// What is known of each service.
#[must_use]
pub fn known(
    inputs: &Inputs<'_>,
    revisions: &BTreeMap<Service, Revision>,
    ledger: &Ledger,
    observed: &Observed,
    rolls_wait: bool,
) -> BTreeMap<Service, Known> {
    let of_service = |(service, wanted): (&Service, &Revision)| {
        let deployment = observed.deployments.get(&inputs.names.service(*service));
        let secrets_wait_for = secrets_wait_for(inputs, *service, observed);
        let is_upgrade = ledger.revisions.contains_key(service.as_str());
        let known = Known {
            wanted: wanted.hash.clone(),
            image: wanted.image().to_owned(),
            waits_for: waits_for(inputs, *service, is_upgrade, secrets_wait_for)
                .or_else(|| (is_upgrade && rolls_wait).then_some("the pods of another stack")),
            secrets_wait_for,
            shows: shown_by(inputs.names, *service, observed).map(str::to_owned),
            is_available: deployment.is_some_and(is_available),
            serves: deployment.is_some_and(serves),
            missed: deployment.filter(|deployment| has_missed(deployment)).map(|_| {
                let pods = observed.pods_of(*service);
                diagnose::of_pods(pods).unwrap_or_else(|| "its pods are not ready in time".to_owned())
            }),
        };
        (*service, known)
    };
    revisions.iter().map(of_service).collect()
}

/// Whether services are to roll that show what their spec asks for: another operator makes their pods otherwise. Those that went back are
/// not to.
#[must_use]
pub fn rolls_unasked(
    stack: &EcommerceStack,
    revisions: &BTreeMap<Service, Revision>,
    ledger: &Ledger,
    observed: &Observed,
    names: &Names,
) -> bool {
    let rolls = |(service, wanted): (&Service, &Revision)| {
        let in_force = ledger.revisions.get(service.as_str()).is_some_and(|shown| shown.revision != wanted.hash);
        in_force && observed.deployments.contains_key(&names.service(*service))
    };
    let is_asked_for = ledger.generation.is_none() || ledger.generation != stack.metadata.generation;
    !is_asked_for && !went_back(revisions, ledger) && revisions.iter().any(rolls)
}

/// Whether these revisions were tried and taken back.
#[must_use]
pub fn went_back(revisions: &BTreeMap<Service, Revision>, ledger: &Ledger) -> bool {
    let wave = wave_of(revisions.values().map(|wanted| wanted.hash.as_str()));
    ledger.failed_upgrade.as_ref().is_some_and(|failure| failure.wave == wave)
}

/// Whether every service shows what it is to show, and serves it.
#[must_use]
pub fn is_over(revisions: &BTreeMap<Service, Revision>, ledger: &Ledger, observed: &Observed, names: &Names) -> bool {
    revisions.iter().all(|(service, wanted)| {
        let deployment = observed.deployments.get(&names.service(*service));
        let is_in_force = ledger.revisions.get(service.as_str()).is_some_and(|shown| shown.revision == wanted.hash);
        is_in_force && deployment.is_some_and(is_available)
    })
}

/// What stands around the services.
#[must_use]
pub fn around(stack: &EcommerceStack, names: &Names, resolved: &Resolved, observed: &Observed, now: &Time) -> Around {
    let deadline = SignedDuration::from_secs(PROGRESS_DEADLINE_SECONDS.into());
    let is_recent =
        |backend| ready_since(observed.store_pod(names, backend)).is_some_and(|since| now.0 < since + deadline);
    Around {
        retry: stack.annotations().get(RETRY_ANNOTATION).cloned(),
        stores_were_ready: Backend::ALL
            .into_iter()
            .all(|backend| resolved.store(backend).is_ready && !is_recent(backend)),
    }
}

fn ready_since(pod: Option<&Pod>) -> Option<Timestamp> {
    let conditions = pod?.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status == "True")?;
    Some(ready.last_transition_time.as_ref()?.0)
}

/// What each service shows, and the secrets that its pods are to have read. A revision that nobody has kept any more is taken from
/// the Deployment that shows it.
#[must_use]
pub fn shown(
    inputs: &Inputs<'_>,
    revisions: &BTreeMap<Service, Revision>,
    known: &BTreeMap<Service, Known>,
    ledger: &Ledger,
    observed: &Observed,
) -> BTreeMap<Service, Shown> {
    let of_service = |(service, wanted): (&Service, &Revision)| {
        let in_force = &ledger.revisions.get(service.as_str())?.revision;
        let revision = if *in_force == wanted.hash {
            wanted.clone()
        } else {
            let kept = observed.revisions.get(&inputs.names.revision(*service, in_force));
            let kept = kept.and_then(|kept| Revision::read(in_force, kept));
            kept.or_else(|| of_deployment(inputs, *service, in_force, observed))?
        };
        // What the servers do not know yet reaches no pod, whatever the revision.
        let waits = known.get(service).is_some_and(|known| known.secrets_wait_for.is_some());
        let as_it_is = has_read(inputs, *service, observed).filter(|_| waits);
        let configuration = as_it_is.unwrap_or_else(|| configuration(inputs, &revision));
        Some((*service, Shown { revision, configuration, replicas: replicas(inputs, *service, observed) }))
    };
    revisions.iter().filter_map(of_service).collect()
}

fn of_deployment(inputs: &Inputs<'_>, service: Service, in_force: &str, observed: &Observed) -> Option<Revision> {
    let is_shown = shown_by(inputs.names, service, observed) == Some(in_force);
    let deployment = observed.deployments.get(&inputs.names.service(service)).filter(|_| is_shown)?;
    let mut template = deployment.spec.as_ref()?.template.clone();
    if let Some(annotations) = template.metadata.as_mut().and_then(|metadata| metadata.annotations.as_mut()) {
        annotations.retain(|name, _| name != CHECKSUM);
    }
    Some(Revision { hash: in_force.to_owned(), template })
}

/// What the spec says. Where it says nothing, an autoscaler or a person does, who may have left none: a shop without pods is what
/// nobody asks for, as `spec.paused` is how to keep one closed.
fn replicas(inputs: &Inputs<'_>, service: Service, observed: &Observed) -> Option<i32> {
    let said = inputs.spec.service(service).and_then(|said| said.replicas);
    let there =
        observed.deployments.get(&inputs.names.service(service)).and_then(|there| there.spec.as_ref()?.replicas);
    said.or_else(|| there.filter(|pods| *pods == 0).map(|_| 1))
}

fn has_read(inputs: &Inputs<'_>, service: Service, observed: &Observed) -> Option<String> {
    let deployment = observed.deployments.get(&inputs.names.service(service))?;
    let template = deployment.spec.as_ref()?.template.metadata.as_ref()?;
    template.annotations.as_ref()?.get(CHECKSUM).cloned()
}

fn secrets_wait_for(inputs: &Inputs<'_>, service: Service, observed: &Observed) -> Option<&'static str> {
    let is_provisioned =
        inputs.provisioned_from.is_some() && inputs.provisioned_from == provisioning_key(inputs).as_deref();
    let runs = |backend| match inputs.resolved.store(backend).theirs {
        Some(_) => is_provisioned,
        None => observed.runs_with(inputs.names, backend, &store_configuration(inputs, backend)),
    };
    if inputs.held.services.contains(&service) {
        Some("something that a person has to mend")
    } else if Service::WITH_DATABASE.contains(&service) && !is_provisioned {
        Some("its passwords in postgres")
    } else if Service::WITH_BROKER.contains(&service) && !runs(Backend::Rabbitmq) {
        Some("rabbitmq")
    } else if WITH_REDIS.contains(&service) && !runs(Backend::Redis) {
        Some("redis")
    } else {
        None
    }
}

fn waits_for(
    inputs: &Inputs<'_>,
    service: Service,
    is_upgrade: bool,
    secrets_wait_for: Option<&'static str>,
) -> Option<&'static str> {
    let is_migrated = |service: Service| inputs.migrated.contains(&service);
    let is_unknown =
        |store: Backend| inputs.resolved.store(store).theirs.as_ref().is_some_and(|theirs| theirs.present.is_none());
    if inputs.held.services.contains(&service) {
        secrets_wait_for
    } else if Service::WITH_DATABASE.contains(&service) && !is_migrated(service) {
        Some("its migration")
    } else if stores_of(service).into_iter().any(is_unknown) {
        Some("its logins at the stores of others")
    } else if !is_upgrade {
        None
    } else if !Service::WITH_DATABASE.into_iter().all(is_migrated) {
        Some("all migrations")
    } else {
        secrets_wait_for
    }
}

/// Whether nothing rolls and some pods serve.
fn serves(deployment: &Deployment) -> bool {
    let (Some(spec), Some(status)) = (&deployment.spec, &deployment.status) else { return false };
    let wanted = Some(spec.replicas.unwrap_or(1));
    status.observed_generation >= deployment.metadata.generation
        && status.replicas == wanted
        && status.updated_replicas == wanted
        && status.available_replicas.unwrap_or_default() > 0
}

/// Whether as many pods of the newest template serve as there are to be, and no other is left: one of the template before would be
/// counted among those that serve.
#[must_use]
pub fn is_available(deployment: &Deployment) -> bool {
    let (Some(spec), Some(status)) = (&deployment.spec, &deployment.status) else { return false };
    let wanted = spec.replicas.unwrap_or(1);
    wanted > 0
        && status.observed_generation >= deployment.metadata.generation
        && status.replicas.unwrap_or_default() == wanted
        && status.updated_replicas.unwrap_or_default() == wanted
        && status.available_replicas.unwrap_or_default() == wanted
}

fn has_missed(deployment: &Deployment) -> bool {
    let Some(status) = &deployment.status else { return false };
    let missed = status.conditions.iter().flatten().any(|condition| {
        condition.type_ == "Progressing" && condition.reason.as_deref() == Some("ProgressDeadlineExceeded")
    });
    missed && status.observed_generation >= deployment.metadata.generation
}
