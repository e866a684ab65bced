//! The `ConfigMap` of the ledger. It goes with the data.

use k8s_openapi::api::core::v1::ConfigMap;

use super::metadata::retained;
use super::{Inputs, Manifest};
use crate::ledger::{ENTRY, Ledger, POSTGRES_SERVER};

/// The object that keeps this ledger.
#[must_use]
pub fn object(inputs: &Inputs<'_>, ledger: &Ledger) -> Manifest {
    let names = inputs.names;
    let seen = ledger.postgres.as_ref().and_then(|server| server.seen.as_ref());
    let server = seen.map(|seen| (POSTGRES_SERVER.to_owned(), seen.identifier.clone()));
    Manifest::new(&ConfigMap {
        metadata: retained(names, names.ledger(), inputs.owned_with_data()),
        data: Some([(ENTRY.to_owned(), ledger.text())].into_iter().chain(server).collect()),
        ..ConfigMap::default()
    })
}
