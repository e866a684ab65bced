//! A stack from `spec: {}` to Ready against a real API server. No controller runs there: what Kubernetes would do is done
//! here by hand, so the walk shows that the API server takes what the operator makes, and what the operator reads of it.

use std::fmt::Debug;
use std::sync::Arc;

use ecommerce_types::Clock;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Secret, Service};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
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

    async fn names<K>(&self) -> Vec<String>
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

#[tokio::test]
async fn an_empty_spec_becomes_a_ready_stack() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    assert_eq!(
        walk.condition("Ready").await,
        ("True".to_owned(), "the shop is open, on the payment simulator: no real money moves".to_owned())
    );
    for condition in ["BackendsReady", "Migrated", "ServicesReady"] {
        assert_eq!(walk.condition(condition).await.0, "True", "{condition}");
    }
    assert_eq!(walk.condition("Degraded").await.0, "False");
    let stack = walk.stack().await;
    let status = stack.status.unwrap();
    assert_eq!(status.observed_generation, stack.metadata.generation);
    assert_eq!(status.version.as_deref(), Some("1.0.0"));
    assert_eq!(status.endpoint, Some(format!("http://shop-gateway.{}.svc:8080", walk.namespace)));
    assert_eq!(walk.names::<Deployment>().await.len(), 5);
    assert_eq!(walk.names::<Service>().await.len(), 8);
}

#[tokio::test]
async fn a_second_operator_process_changes_no_version_of_anything() {
    let walk = Walk::begin(json!({"gateway": {"service": {"type": "NodePort"}}})).await;
    walk.to_ready().await;
    let before = walk.versions().await;
    let other = Walk { context: Arc::new(Context::new(walk.client.clone(), patient(), Clock::system())), ..walk };
    other.reconcile().await;
    assert_eq!(other.versions().await, before);
}

#[tokio::test]
async fn whoever_scales_a_service_that_the_spec_does_not_is_left_alone_until_it_does() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    let scale = |replicas: i32| Patch::Merge(json!({"spec": {"replicas": replicas}}));
    let deployments = walk.api::<Deployment>();
    let replicas = async || deployments.get("shop-order").await.unwrap().spec.unwrap().replicas;
    deployments.patch_scale("shop-order", &PatchParams::default(), &scale(5)).await.unwrap();
    for _ in 0..2 {
        walk.reconcile().await;
        assert_eq!(replicas().await, Some(5));
    }
    let say = |services: Value| Patch::Merge(json!({"spec": {"services": services}}));
    let stacks = walk.api::<EcommerceStack>();
    stacks.patch("shop", &PatchParams::default(), &say(json!({"order": {"replicas": 3}}))).await.unwrap();
    walk.reconcile().await;
    assert_eq!(replicas().await, Some(3));
    stacks.patch("shop", &PatchParams::default(), &say(Value::Null)).await.unwrap();
    walk.reconcile().await;
    assert_eq!(replicas().await, Some(1), "what the spec had said goes with it");
}

#[tokio::test]
async fn a_larger_volume_is_asked_for_and_the_store_made_again_around_its_pod() {
    let walk = Walk::begin(json!({})).await;
    walk.reconcile().await;
    let set: StatefulSet = walk.api().get("shop-redis").await.unwrap();
    let grow = json!({"spec": {"redis": {"embedded": {"storage": {"size": "3Gi"}}}}});
    walk.api::<EcommerceStack>().patch("shop", &PatchParams::default(), &Patch::Merge(grow)).await.unwrap();
    // An orphaning delete waits for the garbage collector, which does not run here.
    walk.reconcile().await;
    let deleted: StatefulSet = walk.api().get("shop-redis").await.unwrap();
    assert_eq!(deleted.uid(), set.uid());
    assert_eq!(deleted.finalizers(), ["orphan"]);
    let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    walk.api::<StatefulSet>().patch("shop-redis", &PatchParams::default(), &release).await.unwrap();
    walk.reconcile().await;
    let made: StatefulSet = walk.api().get("shop-redis").await.unwrap();
    let claim = made.spec.unwrap().volume_claim_templates.unwrap()[0].spec.clone().unwrap();
    assert_eq!(claim.resources.unwrap().requests.unwrap()["storage"].0, "3Gi");
}

/// Under `Delete` too, where owners are written into the Secret: neither what was made nor what was put beside it is ours to change.
#[tokio::test]
async fn keys_that_a_person_puts_beside_the_generated_ones_stay() {
    let walk = Walk::begin(json!({})).await;
    walk.reconcile().await;
    let made = walk.api::<Secret>().get("shop-signing-key").await.unwrap().data.unwrap();
    assert_eq!(made.keys().collect::<Vec<_>>(), ["present.pem", "refresh-keys"]);

    let refresh_keys = String::from_utf8(made["refresh-keys"].0.clone()).unwrap();
    assert_eq!(refresh_keys.len(), 43);
    let by_hand = json!({"stringData": {
        "next.pem": "next", "previous.pem": "previous", "refresh-keys": format!("{}\n{refresh_keys}\n", "n".repeat(43)),
    }});
    let by_hand = Patch::Merge(by_hand);
    walk.api::<Secret>().patch("shop-signing-key", &PatchParams::default(), &by_hand).await.unwrap();
    let before = walk.api::<Secret>().get("shop-signing-key").await.unwrap().data.unwrap();
    assert_eq!(before.len(), 4);

    let delete = Patch::Merge(json!({"spec": {"deletionPolicy": "Delete"}}));
    walk.api::<EcommerceStack>().patch("shop", &PatchParams::default(), &delete).await.unwrap();
    let other = Walk { context: Arc::new(Context::new(walk.client.clone(), patient(), Clock::system())), ..walk };
    other.reconcile().await;
    let after = other.api::<Secret>().get("shop-signing-key").await.unwrap();
    assert_eq!(after.owner_references().len(), 1);
    assert_eq!(after.data.unwrap(), before);
}
