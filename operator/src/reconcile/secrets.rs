//! Makes the secrets that are absent, and no others.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::Error;
use super::refusal::{Refusal, answered, said};
use crate::crd::EcommerceStackSpec;
use crate::credentials::{Credentials, generate, wanted};
use crate::names::{MANAGER, Names};
use crate::objects::{Held, not_pruned, stack_labels};

/// Makes what a stack lacks and nothing knows yet, except in Secrets that are held; gives those that the API server refused. What another made in the meantime stays: the
/// write is refused and the next reconcile reads it.
pub async fn make_absent(
    spec: &EcommerceStackSpec,
    names: &Names,
    held: &Held,
    credentials: &mut Credentials,
    client: &Client,
) -> Result<Vec<(String, Refusal)>, Error> {
    let mut refusals = Vec::new();
    let api: Api<Secret> = Api::namespaced(client.clone(), &names.namespace);
    let mut random = UnwrapErr(SysRng);
    for wanted in wanted(names, spec) {
        let missing = credentials.missing(&wanted);
        if missing.is_empty() || held.secrets.contains(&wanted.name) {
            continue;
        }
        let made: BTreeMap<String, String> =
            missing.into_iter().map(|(key, kind)| (key, generate(kind, &mut random))).collect();
        let data = made.iter().map(|(key, value)| (key.clone(), ByteString(value.clone().into_bytes()))).collect();
        let action = format!("make the Secret {}", wanted.name);
        let written = match api.get_metadata_opt(&wanted.name).await.map_err(Error::api(action.clone()))? {
            None => create(&api, names, &wanted.name, data).await,
            Some(there) => add(&api, &wanted.name, there.metadata, data).await,
        };
        // Somebody was quicker: it is read at the next look.
        if let Err(kube::Error::Api(status)) = &written
            && status.code == 409
        {
            return written.map(|()| refusals).map_err(Error::api(action));
        }
        if let Err(refusal) = answered(written, || action, said)? {
            refusals.push((wanted.name, refusal));
            continue;
        }
        tracing::info!(stack.name = names.stack, secret.name = wanted.name, "made secrets that were absent");
        for (key, value) in made {
            credentials.insert(&wanted.name, &key, value);
        }
    }
    Ok(refusals)
}

async fn create(
    api: &Api<Secret>,
    names: &Names,
    name: &str,
    data: BTreeMap<String, ByteString>,
) -> Result<(), kube::Error> {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(stack_labels(names)),
        annotations: Some(not_pruned()),
        ..ObjectMeta::default()
    };
    let secret = Secret { metadata, data: Some(data), ..Secret::default() };
    let parameters = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    api.create(&parameters, &secret).await.map(|_| ())
}

/// The version in the patch makes the API server refuse it where someone else was quicker.
async fn add(
    api: &Api<Secret>,
    name: &str,
    there: ObjectMeta,
    data: BTreeMap<String, ByteString>,
) -> Result<(), kube::Error> {
    let metadata = ObjectMeta { resource_version: there.resource_version, ..ObjectMeta::default() };
    let patch = Secret { metadata, data: Some(data), ..Secret::default() };
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    api.patch(name, &parameters, &Patch::Merge(&patch)).await.map(|_| ())
}
