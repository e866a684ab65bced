//! Removes what is no longer wanted: Jobs for another image or another database, failed ones whose time has come, and revisions
//! that nobody would go back to, and what a spec has switched off. Names of everything else do not change, and what belongs to the
//! stack as a whole goes with it by its owner reference.

use std::collections::BTreeSet;
use std::fmt::Debug;

use ecommerce_contract::Service;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, DeleteParams, DynamicObject, Preconditions};
use kube::{Client, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::Error;
use super::dereference::Observed;
use super::diagnose;
use super::jobs::{Progress, has_ended, has_succeeded, pods_of_job};
use super::ledger::shown_by;
use super::refusal::{Refusal, answered, said};
use crate::ledger::Ledger;
use crate::names::{Backend, Names};
use crate::objects::{Desired, Manifest, TEMPLATE};

/// Removes revisions, Jobs and what is switched off; gives what the API server refused. Migrations that have succeeded stay for their
/// log until Kubernetes takes them, but those that set a password.
pub async fn prune(
    desired: &Desired,
    progress: &Progress,
    now: &Time,
    names: &Names,
    observed: &Observed,
    ledger: &Ledger,
    client: &Client,
) -> Result<Vec<Refusal>, Error> {
    let mut refusals = prune_revisions(names, observed, ledger, client).await?;
    refusals.extend(prune_optional(desired, names, observed, client).await?);
    refusals.extend(prune_broken_store_pods(names, observed, client).await?);
    let api: Api<Job> = Api::namespaced(client.clone(), &names.namespace);
    let due = progress.due(now);
    for (name, job) in &observed.jobs {
        // What succeeded for other passwords would be believed if they came back.
        let sets_passwords = [names.provisioning_job(""), names.migration_job(Service::Auth, "")];
        let sets_passwords = sets_passwords.iter().any(|prefix| name.starts_with(prefix));
        let superseded = !progress.current.contains(name) && (sets_passwords || !has_succeeded(job));
        let is_stuck = !superseded && runs_something_else(job, desired) && !has_begun(job, observed);
        if (superseded || due.contains(name) || is_stuck) && job.metadata.deletion_timestamp.is_none() {
            refusals.extend(remove(&api, name, &DeleteParams::background()).await?);
        }
    }
    Ok(refusals)
}

/// Whether the Job is to be made in another way than it was: with a pull Secret that had been forgotten.
fn runs_something_else(job: &Job, desired: &Desired) -> bool {
    let wanted = desired.jobs.iter().find(|wanted| wanted.metadata.name == job.metadata.name);
    wanted.is_some_and(|wanted| wanted.annotations().get(TEMPLATE) != job.annotations().get(TEMPLATE))
}

/// Whether a container of the Job has run: one that has is left to its end.
fn has_begun(job: &Job, observed: &Observed) -> bool {
    let ran = |status: &ContainerStatus| {
        let state = status.state.as_ref();
        state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    };
    let name = job.name_any();
    let mut pods = pods_of_job(&observed.pods, &name);
    has_ended(job)
        || pods.any(|pod| pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten()).any(ran))
}

/// A corrected template does not take the place of a pod that never became ready (kubernetes#67250), so that pod goes.
async fn prune_broken_store_pods(names: &Names, observed: &Observed, client: &Client) -> Result<Vec<Refusal>, Error> {
    let mut refusals = Vec::new();
    let api: Api<Pod> = Api::namespaced(client.clone(), &names.namespace);
    for backend in Backend::ALL {
        let Some(set) = observed.stateful_sets.get(&names.backend(backend)) else { continue };
        let Some(update) = set.status.as_ref().and_then(|status| status.update_revision.as_ref()) else { continue };
        let pod = observed.pods.iter().find(|pod| pod.name_any() == names.store_pod(backend));
        let Some(pod) = pod.filter(|pod| pod.metadata.deletion_timestamp.is_none()) else { continue };
        let is_of_before = pod.labels().get("controller-revision-hash").is_some_and(|revision| revision != update);
        if is_of_before && diagnose::of_pods([pod]).is_some() {
            // Another pod of that name is another matter.
            let preconditions = Preconditions { uid: pod.uid(), resource_version: None };
            let how = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
            refusals.extend(remove(&api, &pod.name_any(), &how).await?);
        }
    }
    Ok(refusals)
}

async fn prune_revisions(
    names: &Names,
    observed: &Observed,
    ledger: &Ledger,
    client: &Client,
) -> Result<Vec<Refusal>, Error> {
    let mut refusals = Vec::new();
    let api: Api<ControllerRevision> = Api::namespaced(client.clone(), &names.namespace);
    let mut kept = BTreeSet::new();
    for service in Service::ALL {
        let Some(shown) = ledger.revisions.get(service.as_str()) else { continue };
        // What a Deployment still shows stays too: a ledger may be written and its Deployment not yet.
        let hashes = shown.before.iter().map(String::as_str).chain([shown.revision.as_str()]);
        kept.extend(hashes.chain(shown_by(names, service, observed)).map(|hash| names.revision(service, hash)));
    }
    for name in observed.revisions.keys().filter(|name| !kept.contains(*name)) {
        refusals.extend(remove(&api, name, &DeleteParams::default()).await?);
    }
    Ok(refusals)
}

async fn prune_optional(
    desired: &Desired,
    names: &Names,
    observed: &Observed,
    client: &Client,
) -> Result<Vec<Refusal>, Error> {
    let mut refusals = Vec::new();
    for (resource, name) in &observed.optional {
        let is_this = |manifest: &Manifest| manifest.resource == *resource && manifest.name() == name;
        if !desired.applied.iter().any(is_this) {
            let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &names.namespace, resource);
            refusals.extend(remove(&api, name, &DeleteParams::default()).await?);
        }
    }
    Ok(refusals)
}

/// What has gone by itself is no failure.
async fn remove<K>(api: &Api<K>, name: &str, how: &DeleteParams) -> Result<Option<Refusal>, Error>
where
    K: Clone + DeserializeOwned + Debug,
{
    match api.delete(name, how).await {
        Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(None),
        result => Ok(answered(result, || format!("remove {name}"), said)?.err()),
    }
}
