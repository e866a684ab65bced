//! What a rollout is decided from, read from what is there. Pure.

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;

use super::dereference::Observed;
use super::diagnose;
use super::ledger::shown_by;
use crate::build::{Inputs, Revision, provisioning_key, store_configuration};
use crate::crd::EcommerceStack;
use crate::credentials::WITH_REDIS;
use crate::ledger::Ledger;
use crate::names::{Backend, Names};
use crate::resolve::Resolved;
use crate::rollout::{Around, Known, RETRY};

/// What is known of each service.
#[must_use]
pub fn known(
    inputs: &Inputs<'_>,
    revisions: &BTreeMap<Service, Revision>,
    observed: &Observed,
) -> BTreeMap<Service, Known> {
    let of_service = |(service, wanted): (&Service, &Revision)| {
        let deployment = observed.deployments.get(&inputs.names.service(*service));
        let known = Known {
            wanted: wanted.hash.clone(),
            image: wanted.image().to_owned(),
            waits_for: waits_for(inputs, *service, deployment.is_some(), observed),
            shows: shown_by(inputs.names, *service, observed).map(str::to_owned),
            is_available: deployment.is_some_and(is_available),
            missed: deployment.filter(|deployment| has_missed(deployment)).map(|_| {
                let pods = observed.pods_of(*service);
                diagnose::trouble(pods).unwrap_or_else(|| "its pods are not ready in time".to_owned())
            }),
        };
        (*service, known)
    };
    revisions.iter().map(of_service).collect()
}

/// What stands around the services.
#[must_use]
pub fn around(stack: &EcommerceStack, resolved: &Resolved) -> Around {
    Around {
        generation: stack.metadata.generation.unwrap_or_default(),
        retry: stack.annotations().get(RETRY).cloned(),
        stores_are_ready: Backend::ALL.into_iter().all(|backend| resolved.store(backend).is_ready),
    }
}

/// The revisions that are in force, with what their pods are. One that nobody has kept any more is left as it is.
#[must_use]
pub fn shown(
    names: &Names,
    revisions: &BTreeMap<Service, Revision>,
    ledger: &Ledger,
    observed: &Observed,
) -> BTreeMap<Service, Revision> {
    let of_service = |(service, wanted): (&Service, &Revision)| {
        let in_force = &ledger.revisions.get(service.as_str())?.revision;
        if *in_force == wanted.hash {
            return Some((*service, wanted.clone()));
        }
        let kept = observed.revisions.get(&names.revision(*service, in_force))?;
        Some((*service, Revision::read(in_force, kept)?))
    };
    revisions.iter().filter_map(of_service).collect()
}

fn waits_for(inputs: &Inputs<'_>, service: Service, is_there: bool, observed: &Observed) -> Option<&'static str> {
    let has_database = Service::WITH_DATABASE.contains(&service);
    if inputs.held.services.contains(&service) {
        return Some("something that a person has to mend");
    }
    if has_database && !inputs.migrated.contains(&service) {
        return Some("its migration");
    }
    if !is_there {
        return None;
    }
    let runs = |backend| observed.runs_with(inputs.names, backend, &store_configuration(inputs, backend));
    if !Service::WITH_DATABASE.into_iter().all(|service| inputs.migrated.contains(&service)) {
        Some("all migrations")
    } else if has_database && inputs.provisioned_from != provisioning_key(inputs).as_deref() {
        Some("its passwords in postgres")
    } else if Service::WITH_BROKER.contains(&service) && !runs(Backend::Rabbitmq) {
        Some("rabbitmq")
    } else if WITH_REDIS.contains(&service) && !runs(Backend::Redis) {
        Some("redis")
    } else {
        None
    }
}

/// Whether as many pods of the newest template serve as there are to be.
#[must_use]
pub fn is_available(deployment: &Deployment) -> bool {
    let (Some(spec), Some(status)) = (&deployment.spec, &deployment.status) else { return false };
    let wanted = spec.replicas.unwrap_or(1);
    status.observed_generation >= deployment.metadata.generation
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
