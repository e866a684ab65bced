//! The Secrets of a stack: who owns the generated ones, and those that are derived from them.

use ecommerce_contract::Service;
use ecommerce_contract::edges::{EDGES, Edge};
use k8s_openapi::api::core::v1::Secret;
use std::collections::BTreeMap;

use super::metadata::{metadata, retained, stack_labels};
use super::{Inputs, Manifest};
use crate::credentials::{self, ADMIN_EMAIL};
use crate::edge_keys;
use crate::names::api_key_entry;

/// The file in a callee's Secret of hashes.
pub const HASHES_FILE: &str = "hashes.json";

/// Labels and owner of each generated Secret, and the administrator's address. What was generated is not here, so applying
/// this neither changes nor removes it.
pub(super) fn credential_metadata(inputs: &Inputs<'_>) -> Vec<Manifest> {
    let names = inputs.names;
    credentials::wanted(names, inputs.spec)
        .into_iter()
        // With whom one goes that has lost a key is said all the same.
        .filter(|wanted| !inputs.held.foreign.contains(&wanted.name))
        .filter(|wanted| wanted.keys.iter().any(|(key, _)| !inputs.credentials.get(&wanted.name, key).is_empty()))
        .map(|wanted| {
            let string_data = (wanted.name == names.admin()).then(|| {
                let email = inputs.spec.admin.as_ref().and_then(|admin| admin.email.clone());
                BTreeMap::from([(ADMIN_EMAIL.to_owned(), email.unwrap_or_else(|| names.default_admin_email()))])
            });
            let data = string_data.map(|entries| {
                entries.into_iter().map(|(key, value)| (key, k8s_openapi::ByteString(value.into_bytes()))).collect()
            });
            Manifest::new(&Secret {
                metadata: retained(names, wanted.name, inputs.owned_with_data()),
                data,
                ..Secret::default()
            })
        })
        .collect()
}

/// What each callee compares its callers' keys with. Where nobody knows the key of an edge, the file that is there stays.
pub(super) fn api_key_hashes(inputs: &Inputs<'_>) -> Vec<Manifest> {
    let of_callee = |callee: Service| {
        let edges = EDGES.iter().filter(|edge| edge.callee == callee);
        edges.map(|edge| Some((edge.caller, inputs.edges.get(&edge_keys::title(*edge))?))).collect::<Option<Vec<_>>>()
    };
    let known = Service::ALL.into_iter().filter_map(|callee| Some((callee, of_callee(callee)?)));
    known
        .filter(|(_, callers)| !callers.is_empty())
        .map(|(callee, callers)| {
            let hashes = callers.into_iter().map(|(caller, keys)| (caller.to_string(), keys.hashes())).collect();
            let hashes = serde_json::Value::Object(hashes).to_string();
            file_secret(inputs, inputs.names.api_key_hashes(callee), [(HASHES_FILE, hashes)])
        })
        .collect()
}

/// What each caller's pods send. Where one of its keys is gone, the files that are there stay.
pub(super) fn edge_keys(inputs: &Inputs<'_>) -> Vec<Manifest> {
    let Inputs { names, credentials, edges, .. } = inputs;
    let of_caller = |caller: Service| {
        let of_edge = |edge: &Edge| {
            let (asked, sent) = (names.api_keys(caller), names.edge_keys(caller));
            let entry = api_key_entry(*edge);
            let (asked, sent) = (credentials.get(&asked, entry), credentials.get(&sent, entry));
            let key = edges.get(&edge_keys::title(*edge))?.in_force(asked, sent)?;
            Some((entry.to_owned(), key.to_owned()))
        };
        EDGES.iter().filter(|edge| edge.caller == caller).map(of_edge).collect::<Option<Vec<_>>>()
    };
    let known = Service::ALL.into_iter().filter_map(|caller| Some((caller, of_caller(caller)?)));
    known
        .filter(|(_, keys)| !keys.is_empty())
        .map(|(caller, keys)| file_secret(inputs, names.edge_keys(caller), keys))
        .collect()
}

/// A Secret of files that are made anew from what is known whenever it is absent.
pub(super) fn file_secret(
    inputs: &Inputs<'_>,
    name: String,
    files: impl IntoIterator<Item = (impl Into<String>, String)>,
) -> Manifest {
    let file = |(name, text): (_, String)| (Into::into(name), k8s_openapi::ByteString(text.into_bytes()));
    let data = files.into_iter().map(file).collect();
    Manifest::new(&Secret {
        metadata: metadata(inputs.names, name, stack_labels(inputs.names), Some(inputs.owned())),
        data: Some(data),
        ..Secret::default()
    })
}
