//! An object on its way to the API server, whatever its kind, and a Job, which is made once.

use k8s_openapi::api::batch::v1::Job;
use kube::Resource;
use kube::api::{ApiResource, DynamicObject};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::names::short_hash;

/// An object with the kind that the API server knows it by.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The kind.
    pub resource: ApiResource,
    /// The object: only what the operator decides.
    pub object: DynamicObject,
}

impl Manifest {
    /// An object of a known kind.
    ///
    /// # Panics
    /// Never: the objects of `k8s-openapi` are JSON objects with metadata.
    #[must_use]
    pub fn new<K>(object: &K) -> Self
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let resource = ApiResource::erase::<K>(&());
        #[expect(clippy::expect_used, reason = "an object of Kubernetes is a JSON object with metadata")]
        let object = serde_json::to_value(object).and_then(serde_json::from_value).expect("an object of Kubernetes");
        Self { resource, object }
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    /// Says something more of the object.
    pub(super) fn annotate(&mut self, name: &str, value: &str) {
        let annotations = self.object.metadata.annotations.get_or_insert_default();
        annotations.insert(name.to_owned(), value.to_owned());
    }

    /// Kind and name, for sentences.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.resource.kind, self.name())
    }

    /// Stands for everything in it.
    #[must_use]
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(serde_json::to_vec(&self.object).unwrap_or_default()))
    }
}

/// Stands for what the pods of a `StatefulSet` are.
pub(super) fn template_hash(set: &Manifest) -> String {
    short_hash([set.object.data["spec"]["template"].to_string().as_str()])
}

/// The annotation of a Job or a `StatefulSet` that stands for what its pods are.
pub const TEMPLATE: &str = "ecommercestack.dev/template";

/// A Job that says what it runs: its name stands for what it is to do, and how it is to be done can not be changed in it.
pub(super) fn with_template(mut job: Job) -> Job {
    let text = serde_json::to_string(&job.spec).unwrap_or_default();
    let annotations = job.metadata.annotations.get_or_insert_default();
    annotations.insert(TEMPLATE.to_owned(), short_hash([text.as_str()]));
    job
}
