//! The `ConfigMap` of the ledger. It goes with the data.

use k8s_openapi::api::core::v1::ConfigMap;

use super::metadata::retained;
use super::{Inputs, Manifest};
use crate::ledger::ENTRY;

/// The object that keeps this text.
#[must_use]
pub fn object(inputs: &Inputs<'_>, text: &str) -> Manifest {
    let names = inputs.names;
    Manifest::new(&ConfigMap {
        metadata: retained(names, names.ledger(), inputs.owned_with_data()),
        data: Some([(ENTRY.to_owned(), text.to_owned())].into()),
        ..ConfigMap::default()
    })
}
