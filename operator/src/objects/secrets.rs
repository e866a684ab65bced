//! The Secrets of a stack: who owns the generated ones, and those that are derived from them.

use ecommerce_contract::Service;
use ecommerce_contract::edges::EDGES;
use k8s_openapi::api::core::v1::Secret;
use std::collections::BTreeMap;

use super::metadata::{metadata, retained, stack_labels};
use super::{Inputs, Manifest};
use crate::credentials::{self, ADMIN_EMAIL};

/// The file in a callee's Secret of hashes.
pub(super) const HASHES_FILE: &str = "hashes.json";

/// Labels and owner of each generated Secret, and the administrator's address. What was generated is not here, so applying
/// this neither changes nor removes it.
pub(super) fn credential_metadata(inputs: &Inputs<'_>) -> Vec<Manifest> {
    let names = inputs.names;
    credentials::wanted(names)
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

/// What each callee compares its callers' keys with.
pub(super) fn api_key_hashes(inputs: &Inputs<'_>) -> Vec<Manifest> {
    let is_callee = |service: &Service| EDGES.iter().any(|edge| edge.callee == *service);
    // Without a caller's key its hash is not known, and the one that is there is.
    let is_known = |callee: &Service| {
        let mut edges = EDGES.iter().filter(|edge| edge.callee == *callee);
        edges.all(|edge| !inputs.held.secrets.contains(&inputs.names.api_keys(edge.caller)))
    };
    Service::ALL
        .into_iter()
        .filter(|service| is_callee(service) && is_known(service))
        .map(|callee| {
            let hashes = inputs.credentials.api_key_hashes(inputs.names, callee);
            let name = inputs.names.api_key_hashes(callee);
            file_secret(inputs, name, [(HASHES_FILE, hashes)])
        })
        .collect()
}

/// A Secret of files that are made anew from the generated ones whenever it is absent.
pub(super) fn file_secret<const N: usize>(inputs: &Inputs<'_>, name: String, files: [(&str, String); N]) -> Manifest {
    let data = files.map(|(name, text)| (name.to_owned(), k8s_openapi::ByteString(text.into_bytes())));
    Manifest::new(&Secret {
        metadata: metadata(inputs.names, name, stack_labels(inputs.names), Some(inputs.owned())),
        data: Some(data.into()),
        ..Secret::default()
    })
}
