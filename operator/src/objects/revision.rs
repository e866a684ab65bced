//! A revision: what the pods of a service are, kept as a `ControllerRevision` under its hash, so that it can be shown again.

use ecommerce_contract::Service;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use serde_json::json;

use super::metadata::{labels, metadata};
use super::{Inputs, Manifest};
use crate::names::short_hash;

/// The annotation of a Deployment that says which revision it shows.
pub const REVISION: &str = "ecommercestack.dev/revision";
/// What these objects are for, as a label says it. Those that Kubernetes makes for a `StatefulSet` have another.
pub const COMPONENT: &str = "service";

/// A rendered template and its hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Stands for the template.
    pub hash: String,
    /// What the pods are.
    pub template: PodTemplateSpec,
}

/// A revision in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What the pods are.
    pub revision: Revision,
    /// Stands for the secrets that they have read at their start.
    pub configuration: String,
    /// How many pods there are to be; where nobody says, whoever scales the Deployment does.
    pub replicas: Option<i32>,
}

impl Revision {
    pub(super) fn new(template: PodTemplateSpec) -> Self {
        let text = serde_json::to_string(&template).unwrap_or_default();
        Self { hash: short_hash([text.as_str()]), template }
    }

    /// One that was kept.
    #[must_use]
    pub fn read(hash: &str, kept: &ControllerRevision) -> Option<Self> {
        let template = kept.data.as_ref()?.0.get("template")?.clone();
        Some(Self { hash: hash.to_owned(), template: serde_json::from_value(template).ok()? })
    }

    /// The image that the pods run.
    #[must_use]
    pub fn image(&self) -> &str {
        let container = self.template.spec.as_ref().and_then(|spec| spec.containers.first());
        container.and_then(|container| container.image.as_deref()).unwrap_or_default()
    }
}

/// The object that keeps a revision.
#[must_use]
pub fn object(inputs: &Inputs<'_>, service: Service, revision: &Revision) -> Manifest {
    let names = inputs.names;
    Manifest::new(&ControllerRevision {
        metadata: metadata(
            names,
            names.revision(service, &revision.hash),
            labels(names, service.as_str(), COMPONENT),
            Some(inputs.owned()),
        ),
        data: Some(RawExtension(json!({"template": revision.template}))),
        revision: 1,
    })
}
