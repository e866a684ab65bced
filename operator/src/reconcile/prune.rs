//! Removes what is no longer wanted: Jobs for another image or another database, failed ones whose time has come, and revisions
//! that nobody would go back to, and what a spec has switched off. Names of everything else do not change, and what belongs to the
//! stack as a whole goes with it by its owner reference.

use std::collections::BTreeSet;
use std::fmt::Debug;

use ecommerce_contract::Service;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject};
use serde::de::DeserializeOwned;

use super::Error;
use super::dereference::Observed;
use super::jobs::{Progress, has_succeeded};
use super::ledger::shown_by;
use crate::ledger::Ledger;
use crate::names::Names;
use crate::objects::{Desired, Manifest};

/// Removes revisions, Jobs and what is switched off. Migrations that have succeeded stay for their log until Kubernetes takes them.
pub async fn prune(
    desired: &Desired,
    progress: &Progress,
    now: &Time,
    names: &Names,
    observed: &Observed,
    ledger: &Ledger,
    client: &Client,
) -> Result<(), Error> {
    prune_revisions(names, observed, ledger, client).await?;
    prune_optional(desired, names, observed, client).await?;
    let api: Api<Job> = Api::namespaced(client.clone(), &names.namespace);
    let due = progress.due(now);
    for (name, job) in &observed.jobs {
        // A provisioning that succeeded for other passwords would be believed if they came back.
        let is_provisioning = name.starts_with(&names.provisioning_job(""));
        let superseded = !progress.current.contains(name) && (is_provisioning || !has_succeeded(job));
        if (superseded || due.contains(name)) && job.metadata.deletion_timestamp.is_none() {
            remove(&api, name, &DeleteParams::background()).await?;
        }
    }
    Ok(())
}

async fn prune_revisions(names: &Names, observed: &Observed, ledger: &Ledger, client: &Client) -> Result<(), Error> {
    let api: Api<ControllerRevision> = Api::namespaced(client.clone(), &names.namespace);
    let mut kept = BTreeSet::new();
    for service in Service::ALL {
        let Some(shown) = ledger.revisions.get(service.as_str()) else { continue };
        // What a Deployment still shows stays too: a ledger may be written and its Deployment not yet.
        let hashes = shown.before.iter().map(String::as_str).chain([shown.revision.as_str()]);
        kept.extend(hashes.chain(shown_by(names, service, observed)).map(|hash| names.revision(service, hash)));
    }
    for name in observed.revisions.keys().filter(|name| !kept.contains(*name)) {
        remove(&api, name, &DeleteParams::default()).await?;
    }
    Ok(())
}

async fn prune_optional(desired: &Desired, names: &Names, observed: &Observed, client: &Client) -> Result<(), Error> {
    for (resource, name) in &observed.optional {
        let is_this = |manifest: &Manifest| manifest.resource == *resource && manifest.name() == name;
        if !desired.applied.iter().any(is_this) {
            let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &names.namespace, resource);
            remove(&api, name, &DeleteParams::default()).await?;
        }
    }
    Ok(())
}

/// What has gone by itself is no failure.
async fn remove<K>(api: &Api<K>, name: &str, how: &DeleteParams) -> Result<(), Error>
where
    K: Clone + DeserializeOwned + Debug,
{
    match api.delete(name, how).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        result => result.map(|_| ()).map_err(Error::api(format!("remove {name}"))),
    }
}
