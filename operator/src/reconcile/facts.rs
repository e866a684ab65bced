//! What a reconcile has settled before it looks at its Jobs, as what objects are made from.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::Context;
use super::dereference::Observed;
use super::jobs::Progress;
use crate::crd::EcommerceStackSpec;
use crate::edge_keys::EdgeKeys;
use crate::names::Names;
use crate::objects::{Held, Inputs};
use crate::resolve::Resolved;
use crate::store_form::StoreForm;

/// It stays as it is to the end.
pub(super) struct Facts<'a> {
    pub(super) spec: &'a EcommerceStackSpec,
    pub(super) forms: &'a BTreeMap<String, StoreForm>,
    pub(super) names: &'a Names,
    pub(super) owner: &'a OwnerReference,
    pub(super) edges: &'a BTreeMap<String, EdgeKeys>,
    pub(super) held: &'a Held,
    pub(super) context: &'a Context,
}

impl<'a> Facts<'a> {
    pub(super) fn inputs<'b>(
        &self,
        resolved: &'b Resolved,
        observed: &'b Observed,
        progress: &'b Progress,
    ) -> Inputs<'b>
    where
        'a: 'b,
    {
        Inputs {
            spec: self.spec,
            stores: self.forms,
            names: self.names,
            owner: self.owner,
            settings: &self.context.settings,
            resolved,
            credentials: &observed.credentials,
            edges: self.edges,
            connections: observed.connections(self.names),
            volumes: &observed.volumes,
            provisioned_from: progress.provisioned_from.as_deref(),
            databases: &progress.databases,
            migrated: &progress.migrated,
            settled: &progress.settled,
            not_yet: &progress.not_yet,
            held: self.held,
        }
    }
}
