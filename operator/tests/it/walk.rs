//! A stack from `spec: {}` to Ready against a real API server. No controller runs there: what Kubernetes would do is done
//! here by hand, so the walk shows that the API server takes what the operator makes, and what the operator reads of it.

use std::fmt::Debug;
use std::sync::Arc;

use ecommerce_types::Clock;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Secret, Service};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Resource, ResourceExt};
use operator::crd::{EcommerceStack, EcommerceStackStatus};
use operator::reconcile::{self, Context};
use operator::settings::Settings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api_server;
use crate::fixtures;

const NOW: &str = "2027-01-15T08:00:00Z";

/// The machine may have other work.
pub(crate) fn patient() -> Settings {
    Settings { reconcile_limit_seconds: 60, ..fixtures::settings() }
}

pub(crate) struct Walk {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) context: Arc<Context>,
}

impl Walk {
    pub(crate) async fn begin(spec: Value) -> Self {
        let (client, namespace) = api_server::namespace().await;
        let context = Arc::new(Context::new(client.clone(), patient(), Clock::system()));
        let walk = Self { client, namespace, context };
        let stack = json!({
            "apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack",
            "metadata": {"name": "shop"}, "spec": spec,
        });
        walk.create::<EcommerceStack>(stack).await;
        walk
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Another stack beside it, whether we could read it or not.
    pub(crate) async fn create_stack(&self, name: &str, spec: Value) {
        let stack = json!({
            "apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack",
            "metadata": {"name": name}, "spec": spec,
        });
        self.untyped().create(&PostParams::default(), &serde_json::from_value(stack).unwrap()).await.unwrap();
    }

    /// Stacks as the API server has them.
    pub(crate) fn untyped(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &ApiResource::erase::<EcommerceStack>(&()))
    }

    pub(crate) async fn delete<K>(&self, name: &str)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        self.api::<K>().delete(name, &DeleteParams::default()).await.unwrap();
    }

    async fn create<K>(&self, object: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Serialize,
    {
        self.api::<K>().create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
    }

    async fn create_once<K>(&self, object: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Serialize,
    {
        match self.api::<K>().create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            result => drop(result.unwrap()),
        }
    }

    pub(crate) async fn set_status<K>(&self, name: &str, status: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        let patch = Patch::Merge(json!({"status": status}));
        match self.api::<K>().patch_status(name, &PatchParams::default(), &patch).await {
            // The operator has taken it away meanwhile.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            result => drop(result.unwrap()),
        }
    }

    pub(crate) async fn stack(&self) -> EcommerceStack {
        self.api().get("shop").await.unwrap()
    }

    pub(crate) async fn reconcile(&self) {
        reconcile::run(&self.namespace, "shop", &self.context).await.unwrap();
    }

    pub(crate) async fn condition(&self, type_: &str) -> (String, String) {
        let conditions = self.stack().await.status.unwrap().conditions;
        let condition = conditions.into_iter().find(|condition| condition.type_ == type_).unwrap();
        (condition.status, condition.message)
    }

    pub(crate) async fn names<K>(&self) -> Vec<String>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        self.api::<K>().list(&ListParams::default()).await.unwrap().iter().map(ResourceExt::name_any).collect()
    }

    /// Name and version of everything the operator applies.
    pub(crate) async fn versions(&self) -> Vec<(String, Option<String>)> {
        let mut versions = Vec::new();
        let all = ListParams::default();
        let mut add = |metadata: &[(String, Option<String>)]| versions.extend_from_slice(metadata);
        add(&of(&self.api::<StatefulSet>().list(&all).await.unwrap().items));
        add(&of(&self.api::<Deployment>().list(&all).await.unwrap().items));
        add(&of(&self.api::<Service>().list(&all).await.unwrap().items));
        add(&of(&self.api::<Secret>().list(&all).await.unwrap().items));
        add(&of(&self.api::<Job>().list(&all).await.unwrap().items));
        add(&of(&[self.stack().await]));
        versions
    }

    /// One step of what Kubernetes does in a cluster. It may be cut off, and done again.
    pub(crate) async fn play(&self) {
        let everything = ListParams::default();
        for set in self.api::<StatefulSet>().list(&everything).await.unwrap() {
            let name = set.name_any();
            if name == "shop-postgres" {
                self.give_volume().await;
            }
            if set.finalizers() == ["orphan"] {
                let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
                self.api::<StatefulSet>().patch(&name, &PatchParams::default(), &release).await.unwrap();
                continue;
            }
            let status = json!({
                "observedGeneration": set.metadata.generation, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1,
                "currentRevision": "1", "updateRevision": "1",
            });
            self.set_status::<StatefulSet>(&name, status).await;
        }
        for job in self.api::<Job>().list(&everything).await.unwrap() {
            let ends = job.metadata.deletion_timestamp.is_none();
            if ends && job.status.as_ref().is_none_or(|status| status.completion_time.is_none()) {
                self.complete(&job.name_any()).await;
            }
        }
        for deployment in self.api::<Deployment>().list(&everything).await.unwrap() {
            let pods = deployment.spec.as_ref().and_then(|spec| spec.replicas);
            let status = json!({
                "observedGeneration": deployment.metadata.generation, "replicas": pods, "readyReplicas": pods,
                "updatedReplicas": pods, "availableReplicas": pods,
            });
            self.set_status::<Deployment>(&deployment.name_any(), status).await;
        }
    }

    async fn give_volume(&self) {
        let claim = json!({
            "metadata": {"name": "data-shop-postgres-0", "labels": {"ecommercestack.dev/stack": "shop"}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
        });
        self.create_once::<PersistentVolumeClaim>(claim).await;
    }

    async fn complete(&self, job: &str) {
        let is_provisioning = job.contains("-provision-");
        let name = if is_provisioning { "provision" } else { "migrate" };
        let ids = json!({"auth": "id-a", "product": "id-p", "order": "id-o", "payment": "id-y"}).to_string();
        let words = if is_provisioning { ids.as_str() } else { "" };
        let pod = json!({
            "metadata": {
                "name": format!("{job}-abcde"),
                "labels": {"batch.kubernetes.io/job-name": job, "ecommercestack.dev/stack": "shop"},
            },
            "spec": {"containers": [{"name": name, "image": "x"}], "restartPolicy": "Never"},
        });
        self.create_once::<Pod>(pod).await;
        let terminated = json!({"exitCode": 0, "message": words, "startedAt": NOW, "finishedAt": NOW});
        let container = json!({
            "name": name, "image": "x", "imageID": "x", "ready": false, "restartCount": 0,
            "state": {"terminated": terminated},
        });
        let status = json!({"phase": "Succeeded", "containerStatuses": [container]});
        self.set_status::<Pod>(&format!("{job}-abcde"), status).await;
        let condition = |type_: &str| json!({"type": type_, "status": "True", "lastTransitionTime": NOW});
        let status = json!({
            "startTime": NOW, "completionTime": NOW, "succeeded": 1,
            "conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
        });
        self.set_status::<Job>(job, status).await;
    }

    pub(crate) async fn is_ready(&self) -> bool {
        let stack = self.stack().await;
        let conditions = stack.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let is_of_now = |status: &EcommerceStackStatus| status.observed_generation == stack.metadata.generation;
        let is_true = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
        is_true && stack.status.as_ref().is_some_and(is_of_now)
    }

    /// Looks, and lets Kubernetes do what it is told, until it is ready or is not to be.
    pub(crate) async fn settle(&self) {
        for _ in 0..12 {
            self.reconcile().await;
            self.play().await;
        }
    }

    /// The Secret that the specs of the tests send mail by.
    pub(crate) async fn give_secret_of_mail(&self) {
        for name in ["smtp", "smtp.of-the-shop"] {
            let data = json!({"host": "smtp.example.com", "username": "shop", "password": "of smtp"});
            self.create_once::<Secret>(json!({"metadata": {"name": name}, "stringData": data})).await;
        }
    }

    pub(crate) async fn to_ready(&self) {
        self.settle().await;
        self.reconcile().await;
        assert!(self.is_ready().await);
    }
}

fn of<K: kube::ResourceExt>(objects: &[K]) -> Vec<(String, Option<String>)> {
    objects.iter().map(|object| (object.name_any(), object.resource_version())).collect()
}
