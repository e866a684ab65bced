//! Applies what was built: server-side, with one field manager, only what the operator decides, and never over an object that is
//! not the stack's.
//!
//! An apply that changes nothing costs the API server as much as one that does, and a stack that starts wakes the operator
//! many times. So what was applied is remembered beside what the API server had then, and left out while both are the same. The
//! memory is dropped with an error.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, PropagationPolicy};
use kube::core::Status;
use kube::{Client, ResourceExt as _};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::dereference::Observed;
use super::refusal::{Refusal, answered, said};
use super::{Context, Error};
use crate::amount::thousandths;
use crate::names::{MANAGER, Names, STACK_LABEL, long_hash};
use crate::objects::revision::REVISION;
use crate::objects::{Desired, Manifest, TEMPLATE};

/// What was applied, for each stack: title to what was applied and what the API server made of it.
#[derive(Debug, Default)]
pub struct Applied(Mutex<BTreeMap<(String, String), Memory>>);

type Memory = BTreeMap<String, (String, String)>;

impl Applied {
    /// Forgets a stack: everything is applied again.
    pub fn forget(&self, namespace: &str, stack: &str) {
        self.0.lock().remove(&(namespace.to_owned(), stack.to_owned()));
    }

    fn knows(&self, names: &Names, title: &str, as_applied: &(String, String)) -> bool {
        let key = (names.namespace.clone(), names.stack.clone());
        self.0.lock().get(&key).is_some_and(|of_stack| of_stack.get(title) == Some(as_applied))
    }

    fn remember(&self, names: &Names, title: String, as_applied: (String, String)) {
        let key = (names.namespace.clone(), names.stack.clone());
        self.0.lock().entry(key).or_default().insert(title, as_applied);
    }
}

/// Objects that are applied at once.
const AT_ONCE: usize = 8;

/// What came of applying.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was refused.
    pub refusals: Vec<Refusal>,
    /// The [titles](Manifest::title) of what is now another than it was: how it was seen says nothing of it any more.
    pub changed: BTreeSet<String>,
}

/// Applies everything, configuration before what mounts it, and makes the Jobs that are not there.
pub async fn apply(desired: &Desired, names: &Names, observed: &Observed, context: &Context) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    outcome.refusals.extend(resize_claims(desired, names, observed, &context.client).await?);
    outcome.refusals.extend(own_claims(desired, names, observed, &context.client).await?);
    let is_mounted = |manifest: &&Manifest| ["Secret", "ConfigMap"].contains(&manifest.resource.kind.as_str());
    let (mounted, others): (Vec<_>, Vec<_>) = desired.credentials.iter().chain(&desired.applied).partition(is_mounted);
    for group in [mounted, others] {
        let each =
            group.into_iter().map(async |manifest| Ok((manifest, ensure(manifest, names, observed, context).await?)));
        let each: Vec<_> = each.collect();
        let answers: Vec<_> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
        for (manifest, answer) in answers {
            match answer {
                Ok(Change::Made) => drop(outcome.changed.insert(manifest.title())),
                Ok(Change::None) => {}
                Err(refusal) => outcome.refusals.push(refusal),
            }
        }
    }
    outcome.refusals.extend(make_jobs(&desired.jobs, names, observed, &context.client).await?);
    Ok(outcome)
}

/// Says whom the volumes and the Secrets go with, and nothing else: what a person says of their deletion holds at once.
pub async fn say_owners(
    desired: &Desired,
    names: &Names,
    observed: &Observed,
    context: &Context,
) -> Result<Vec<Refusal>, Error> {
    let mut refusals = own_claims(desired, names, observed, &context.client).await?;
    for secret in desired.credentials.iter().filter(|secret| observed.metadata.contains_key(&secret.title())) {
        refusals.extend(ensure(secret, names, observed, context).await?.err());
    }
    Ok(refusals)
}

/// Whether an object has become another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was so before.
    None,
    /// It was not, and whoever acts on it has not done so yet.
    Made,
}

/// Applies one object where it is not there as it should be.
pub async fn ensure(
    manifest: &Manifest,
    names: &Names,
    observed: &Observed,
    context: &Context,
) -> Result<Result<Change, Refusal>, Error> {
    let title = manifest.title();
    let hash = manifest.hash();
    let there = metadata(manifest, names, observed, &context.client).await?;
    if let Some(there) = &there {
        if !is_ours(there, names) && !observed.is_known(names, manifest) {
            return Ok(Err(Refusal::NameTaken(title)));
        }
        if context.applied.knows(names, &title, &(hash.clone(), marker(there))) {
            return Ok(Ok(Change::None));
        }
    }
    Ok(apply_one(manifest, names, &context.client).await?.map(|after| {
        let Some(after) = after else { return Change::Made };
        let is_same = there.is_some_and(|there| there.generation == after.metadata.generation);
        context.applied.remember(names, title, (hash, marker(&after.metadata)));
        if is_same { Change::None } else { Change::Made }
    }))
}

/// What is listed by our label says nothing of somebody else's object, and some kinds may not be listed.
async fn metadata(
    manifest: &Manifest,
    names: &Names,
    observed: &Observed,
    client: &Client,
) -> Result<Option<ObjectMeta>, Error> {
    if let Some(there) = observed.metadata.get(&manifest.title()) {
        return Ok(Some(there.clone()));
    }
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &names.namespace, &manifest.resource);
    let there = api.get_metadata_opt(manifest.name()).await;
    Ok(there.map_err(Error::api(format!("read the {}", manifest.title())))?.map(|there| there.metadata))
}

/// Whether an object has the stack's label.
pub(super) fn is_ours(there: &ObjectMeta, names: &Names) -> bool {
    there.labels.as_ref().and_then(|labels| labels.get(STACK_LABEL)) == Some(&names.stack)
}

/// Stands for everything of an object that we decide: where it has a generation, a change of its status is none.
fn marker(there: &ObjectMeta) -> String {
    let Some(generation) = there.generation else { return there.resource_version.clone().unwrap_or_default() };
    let said = |name| there.annotations.as_ref().and_then(|annotations| annotations.get(name));
    let ours = json!([there.labels, there.owner_references, said(REVISION), said(TEMPLATE)]).to_string();
    long_hash([generation.to_string().as_str(), &ours])
}

/// The object as the API server has it now; nothing where it has to go first.
async fn apply_one(
    manifest: &Manifest,
    names: &Names,
    client: &Client,
) -> Result<Result<Option<DynamicObject>, Refusal>, Error> {
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &names.namespace, &manifest.resource);
    let parameters = PatchParams::apply(MANAGER).force();
    let action = || format!("apply the {}", manifest.title());
    match api.patch(manifest.name(), &parameters, &Patch::Apply(&manifest.object)).await {
        Err(kube::Error::Api(status)) if is_immutable(manifest, &status) => {
            // Its pods and claims stay where they are and the new one takes them up.
            let sets: Api<StatefulSet> = Api::namespaced(client.clone(), &names.namespace);
            let orphan = DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..Default::default() };
            let gone = sets.delete(manifest.name(), &orphan).await;
            // Gone in a moment; its going wakes the next reconcile, which makes the new one.
            Ok(answered(gone, action, said)?.map(|_| None))
        }
        result => Ok(answered(result, action, said)?.map(Some)),
    }
}

/// A `StatefulSet` whose volume template changes can not be changed, only put in the place of the old one.
fn is_immutable(manifest: &Manifest, status: &Status) -> bool {
    manifest.resource.kind == "StatefulSet"
        && status.code == 422
        && status.message.contains("updates to statefulset spec for fields other than")
}

/// A template's size is for claims to come; the one that is there has to be asked itself, and be asked for less again where it has not
/// grown.
async fn resize_claims(
    desired: &Desired,
    names: &Names,
    observed: &Observed,
    client: &Client,
) -> Result<Vec<Refusal>, Error> {
    let mut refusals = Vec::new();
    for (backend, size) in &desired.volumes {
        let Some(volume) = observed.volumes.get(backend) else { continue };
        if thousandths(&volume.asked) == thousandths(size) {
            if let Some(said) = volume.fault.clone() {
                refusals.push(Refusal::Volume { claim: names.claim(*backend), size: size.clone(), said });
            }
            continue;
        }
        let claim = names.claim(*backend);
        let patch = json!({"spec": {"resources": {"requests": {"storage": size}}}});
        let grown = patch_claim(&claim, &patch, names, client).await;
        let refused = |_, said| Refusal::Volume { claim: claim.clone(), size: size.clone(), said };
        refusals.extend(answered(grown, || format!("ask the claim {claim} for {size}"), refused)?.err());
    }
    Ok(refusals)
}

/// Volumes go with the stack or with nobody, never with a set that somebody deletes to have it made anew.
async fn own_claims(
    desired: &Desired,
    names: &Names,
    observed: &Observed,
    client: &Client,
) -> Result<Vec<Refusal>, Error> {
    let mut refusals = Vec::new();
    for (backend, claim) in &observed.claims {
        if claim.owner_references() == desired.volume_owners {
            continue;
        }
        let name = names.claim(*backend);
        let patch = json!({"metadata": {"ownerReferences": desired.volume_owners}});
        let owned = patch_claim(&name, &patch, names, client).await;
        refusals.extend(answered(owned, || format!("say whom the claim {name} goes with"), said)?.err());
    }
    Ok(refusals)
}

async fn patch_claim(claim: &str, patch: &Value, names: &Names, client: &Client) -> Result<(), kube::Error> {
    let api: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &names.namespace);
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    api.patch(claim, &parameters, &Patch::Merge(patch)).await.map(|_| ())
}

async fn make_jobs(jobs: &[Job], names: &Names, observed: &Observed, client: &Client) -> Result<Vec<Refusal>, Error> {
    let api: Api<Job> = Api::namespaced(client.clone(), &names.namespace);
    let mut refusals = Vec::new();
    for job in jobs.iter().filter(|job| !observed.jobs.contains_key(&job.name_any())) {
        let parameters = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        match api.create(&parameters, job).await {
            // The list was a moment older than the Job.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            made => refusals.extend(answered(made, || format!("make the Job {}", job.name_any()), said)?.err()),
        }
    }
    Ok(refusals)
}
