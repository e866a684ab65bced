//! Applies what was built: server-side, with one field manager, only what the operator decides.
//!
//! An apply that changes nothing costs the API server as much as one that does, and a stack that starts wakes the operator
//! many times. So what was applied is remembered beside the version that the API server gave for it, and left out while both
//! are the same. The memory is dropped now and then, and with an error.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, PropagationPolicy};
use kube::core::Status;
use kube::{Client, ResourceExt as _};
use parking_lot::Mutex;
use serde_json::json;
use time::OffsetDateTime;

use super::dereference::Observed;
use super::{Context, Error};
use crate::build::{Desired, Manifest};
use crate::names::{MANAGER, Names};

/// What no list shows (Secrets, configuration) is applied again after this time.
const REMEMBERED: Duration = Duration::from_mins(10);

/// What was applied, for each stack.
#[derive(Debug, Default)]
pub struct Applied(Mutex<BTreeMap<(String, String), Memory>>);

#[derive(Debug)]
struct Memory {
    since: OffsetDateTime,
    /// Title to what was applied and what the API server made of it.
    objects: BTreeMap<String, (String, Option<String>)>,
}

impl Applied {
    /// Forgets a stack: everything is applied again.
    pub fn forget(&self, namespace: &str, stack: &str) {
        self.0.lock().remove(&(namespace.to_owned(), stack.to_owned()));
    }

    fn knows(&self, names: &Names, title: &str, as_applied: &(String, Option<String>), now: OffsetDateTime) -> bool {
        let mut memory = self.0.lock();
        let key = (names.namespace.clone(), names.stack.clone());
        memory.retain(|_, of_stack| of_stack.since + REMEMBERED > now);
        memory.get(&key).is_some_and(|of_stack| of_stack.objects.get(title) == Some(as_applied))
    }

    fn remember(&self, names: &Names, title: String, as_applied: (String, Option<String>), now: OffsetDateTime) {
        let mut memory = self.0.lock();
        let key = (names.namespace.clone(), names.stack.clone());
        let of_stack = memory.entry(key).or_insert_with(|| Memory { since: now, objects: BTreeMap::new() });
        of_stack.objects.insert(title, as_applied);
    }
}

/// Applies everything, in order, and makes the Jobs that are not there.
pub async fn apply(desired: &Desired, names: &Names, observed: &Observed, context: &Context) -> Result<(), Error> {
    grow_claims(desired, names, observed, &context.client).await?;
    for manifest in desired.credentials.iter().chain(&desired.applied) {
        let title = manifest.title();
        let hash = manifest.hash();
        let now = context.clock.now();
        let version = seen_version(manifest, observed);
        if version != Version::Absent
            && context.applied.knows(names, &title, &(hash.clone(), version.clone().marker()), now)
        {
            continue;
        }
        let Some(after) = apply_one(manifest, names, &context.client).await? else { continue };
        let marker = match version {
            Version::Unseen => None,
            _ => version_of(&manifest.resource.kind, &after),
        };
        context.applied.remember(names, title, (hash, marker), now);
    }
    make_jobs(&desired.jobs, names, observed, &context.client).await
}

/// What tells whether an object is still as it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Version {
    /// Not there.
    Absent,
    /// There, and this changes when its spec does.
    Present(Option<String>),
    /// Of a kind that is not read.
    Unseen,
}

impl Version {
    fn marker(self) -> Option<String> {
        match self {
            Self::Present(marker) => marker,
            Self::Absent | Self::Unseen => None,
        }
    }
}

fn seen_version(manifest: &Manifest, observed: &Observed) -> Version {
    let name = manifest.name();
    let metadata = match manifest.resource.kind.as_str() {
        "StatefulSet" => observed.stateful_sets.get(name).map(|object| &object.metadata),
        "Deployment" => observed.deployments.get(name).map(|object| &object.metadata),
        "Service" => observed.services.get(name).map(|object| &object.metadata),
        _ => return Version::Unseen,
    };
    // A Service has no generation; its version changes seldom enough.
    metadata.map_or(Version::Absent, |metadata| {
        let generation = metadata.generation.map(|generation| generation.to_string());
        Version::Present(generation.or_else(|| metadata.resource_version.clone()))
    })
}

fn version_of(kind: &str, object: &DynamicObject) -> Option<String> {
    match kind {
        "StatefulSet" | "Deployment" | "Service" => {
            let generation = object.metadata.generation.map(|generation| generation.to_string());
            generation.or_else(|| object.metadata.resource_version.clone())
        }
        _ => None,
    }
}

/// The object as the API server has it now; nothing where it has to go first.
async fn apply_one(manifest: &Manifest, names: &Names, client: &Client) -> Result<Option<DynamicObject>, Error> {
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &names.namespace, &manifest.resource);
    let parameters = PatchParams::apply(MANAGER).force();
    let failed = || Error::api(format!("apply the {}", manifest.title()));
    match api.patch(manifest.name(), &parameters, &Patch::Apply(&manifest.object)).await {
        Err(kube::Error::Api(status)) if is_immutable(manifest, &status) => {
            // Its pods and claims stay where they are and the new one takes them up.
            let sets: Api<StatefulSet> = Api::namespaced(client.clone(), &names.namespace);
            let orphan = DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..Default::default() };
            sets.delete(manifest.name(), &orphan).await.map_err(failed())?;
            // Gone in a moment; its going wakes the next reconcile, which makes the new one.
            Ok(None)
        }
        result => result.map(Some).map_err(failed()),
    }
}

/// A `StatefulSet` whose volume template changes can not be changed, only put in the place of the old one.
fn is_immutable(manifest: &Manifest, status: &Status) -> bool {
    manifest.resource.kind == "StatefulSet"
        && status.code == 422
        && status.message.contains("updates to statefulset spec for fields other than")
}

/// A template's size is for claims to come; the one that is there has to be asked itself.
async fn grow_claims(desired: &Desired, names: &Names, observed: &Observed, client: &Client) -> Result<(), Error> {
    let api: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &names.namespace);
    for (backend, size) in &desired.volumes {
        if observed.volumes.get(backend).is_none_or(|taken| taken == size) {
            continue;
        }
        let name = names.claim(*backend);
        let patch = json!({"spec": {"resources": {"requests": {"storage": size}}}});
        let failed = Error::api(format!("grow the claim {name} to {size}; its storage class has to allow it"));
        let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        api.patch(&name, &parameters, &Patch::Merge(&patch)).await.map_err(failed)?;
    }
    Ok(())
}

async fn make_jobs(jobs: &[Job], names: &Names, observed: &Observed, client: &Client) -> Result<(), Error> {
    let api: Api<Job> = Api::namespaced(client.clone(), &names.namespace);
    for job in jobs.iter().filter(|job| !observed.jobs.contains_key(&job.name_any())) {
        let parameters = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        match api.create(&parameters, job).await {
            // The list was a moment older than the Job.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            result => {
                result.map_err(Error::api(format!("make the Job {}", job.name_any())))?;
            }
        }
    }
    Ok(())
}
