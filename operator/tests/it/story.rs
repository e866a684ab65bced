//! A stack against the mocked API, and what a cluster and people do around it.

use std::sync::{Arc, Mutex};

use ecommerce_types::Clock;
use operator::crd::EcommerceStack;
use operator::ledger::Ledger;
use operator::reconcile::{self, Context, Ended};
use operator::settings::Settings;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::fixtures::{settings, stack};
use crate::mocked_api::MockedApi;

pub(crate) const STACK: &str = "/apis/ecommercestack.dev/v1alpha1/namespaces/default/ecommercestacks/shop";
pub(crate) const CORE: &str = "/api/v1/namespaces/default";
pub(crate) const APPS: &str = "/apis/apps/v1/namespaces/default";
pub(crate) const LEDGER: &str = "/api/v1/namespaces/default/configmaps/shop-ledger";
pub(crate) const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/default/events/";
pub(crate) const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs/";

pub(crate) struct Story {
    pub(crate) api: MockedApi,
    context: Mutex<Arc<Context>>,
    pub(crate) clock: Clock,
}

impl Story {
    pub(crate) fn of(spec: &Value) -> Self {
        let api = MockedApi::default();
        api.put(STACK, serde_json::to_value(stack("default", spec)).unwrap());
        let clock = Clock::manual(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
        let context = Mutex::new(Arc::new(Context::new(api.client(), settings(), clock.clone())));
        Self { api, context, clock }
    }

    pub(crate) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context.lock().unwrap())
    }

    pub(crate) async fn reconcile(&self) -> Result<(), reconcile::Error> {
        self.look().await.map(|_| ())
    }

    /// A reconcile, and when the next one is to be.
    pub(crate) async fn look(&self) -> Result<Ended, reconcile::Error> {
        let context = self.context();
        // On the heap: a story would hold one for each that it awaits.
        Box::pin(reconcile::run("default", "shop", &context)).await
    }

    pub(crate) fn stack(&self) -> EcommerceStack {
        serde_json::from_value(self.api.get(STACK).unwrap()).unwrap()
    }

    pub(crate) fn ledger(&self) -> Ledger {
        let map = self.api.get(LEDGER).unwrap();
        Ledger::parse(map["data"]["ledger.json"].as_str().unwrap()).unwrap()
    }

    /// Somebody edits the ledger.
    pub(crate) fn change_ledger(&self, change: impl FnOnce(&mut Value)) {
        self.api.change(LEDGER, |map| {
            let mut ledger = serde_json::from_str(map["data"]["ledger.json"].as_str().unwrap()).unwrap();
            change(&mut ledger);
            map["data"]["ledger.json"] = ledger.to_string().into();
        });
    }

    /// Status, reason and message of a condition.
    pub(crate) fn condition(&self, type_: &str) -> (String, String, String) {
        let conditions = self.stack().status.unwrap().conditions;
        let condition = conditions.into_iter().find(|condition| condition.type_ == type_).unwrap();
        (condition.status, condition.reason, condition.message)
    }

    /// The writes since this was last asked, Events aside.
    pub(crate) fn writes(&self) -> Vec<String> {
        let all = self.api.writes().into_iter();
        all.filter(|write| !write.contains("/events")).collect()
    }

    /// Type and reason of the Events.
    pub(crate) fn events(&self) -> Vec<String> {
        let events = self.all_events().into_iter();
        events.map(|event| format!("{} {}", event["type"], event["reason"]).replace('"', "")).collect()
    }

    /// What the Events of a reason say.
    pub(crate) fn notes(&self, reason: &str) -> Vec<String> {
        let of_reason = self.all_events().into_iter().filter(|event| event["reason"] == reason);
        of_reason.map(|event| event["note"].as_str().unwrap().to_owned()).collect()
    }

    fn all_events(&self) -> Vec<Value> {
        let names = self.api.below(EVENTS);
        names.iter().map(|name| self.api.get(&format!("{EVENTS}{name}")).unwrap()).collect()
    }

    /// PostgreSQL's claim, as the cluster makes it for the `StatefulSet`.
    pub(crate) fn give_volume(&self) {
        let claim = json!({
            "metadata": {
                "name": "data-shop-postgres-0", "uid": "claim-1", "labels": {"ecommercestack.dev/stack": "shop"},
            },
            "spec": {"resources": {"requests": {"storage": "5Gi"}}},
        });
        self.api.put(&format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0"), claim);
    }

    pub(crate) fn job(&self, beginning: &str) -> Option<String> {
        self.api.below(JOBS).into_iter().find(|name| name.starts_with(beginning))
    }

    /// A Job ends, and its pod leaves these words.
    pub(crate) fn end_job(&self, beginning: &str, condition: &str, words: &str) {
        let name = self.job(beginning).unwrap_or_else(|| panic!("no Job {beginning}"));
        let container = if name.contains("-provision-") { "provision" } else { "migrate" };
        let ended = json!({"conditions": [{
            "type": condition, "status": "True", "lastTransitionTime": "2027-01-15T08:00:00Z",
            "message": "Job has reached the specified backoff limit",
        }]});
        self.api.change(&format!("{JOBS}{name}"), |job| job["status"] = ended);
        let pod = json!({
            "metadata": {
                "name": format!("{name}-abcde"),
                "labels": {"batch.kubernetes.io/job-name": name, "ecommercestack.dev/stack": "shop"},
                "creationTimestamp": "2027-01-15T07:59:00Z",
            },
            "status": {
                "phase": "Succeeded",
                // A mesh puts its own beside ours, and the kubelet sorts them by name.
                "containerStatuses": [{
                    "name": "istio-proxy", "image": "x", "imageID": "x", "ready": true, "restartCount": 0,
                    "state": {"running": {}},
                }, {
                    "name": container, "image": "x", "imageID": "x", "ready": false, "restartCount": 0,
                    "state": {"terminated": {"exitCode": 0, "message": words}},
                }],
            },
        });
        self.api.put(&format!("{CORE}/pods/{name}-abcde"), pod);
    }

    pub(crate) async fn migrated() -> Self {
        let story = Self::provisioned().await;
        story.migrate();
        story.reconcile().await.unwrap();
        story
    }

    /// A stack that is Ready.
    pub(crate) async fn open() -> Self {
        let story = Self::migrated().await;
        for _ in 0..4 {
            story.serve();
            story.reconcile().await.unwrap();
        }
        assert_eq!(story.condition("Ready").0, "True");
        story
    }

    /// Every migration that is there ends well.
    pub(crate) fn migrate(&self) {
        for name in self.api.below(JOBS).into_iter().filter(|name| name.contains("-migrate-")) {
            self.end_job(&name, "Complete", "");
        }
    }

    /// Every store and every service that is there serves.
    pub(crate) fn serve(&self) {
        for kind in ["statefulsets", "deployments"] {
            for name in self.api.below(&format!("{APPS}/{kind}/")) {
                self.api.change(&format!("{APPS}/{kind}/{name}"), |object| {
                    let replicas = object["spec"]["replicas"].as_i64().unwrap_or(1);
                    object["status"] = json!({
                        "observedGeneration": object["metadata"]["generation"], "replicas": replicas,
                        "readyReplicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas,
                    });
                });
            }
        }
    }

    /// Changes the spec, and lets the cluster do what it is told until nothing moves.
    pub(crate) async fn upgrade(&self, change: impl FnOnce(&mut Value)) {
        self.api.change(STACK, |stack| {
            change(&mut stack["spec"]);
            stack["metadata"]["generation"] = (stack["metadata"]["generation"].as_i64().unwrap_or(1) + 1).into();
        });
        for _ in 0..8 {
            self.reconcile().await.unwrap();
            self.migrate();
            self.serve();
        }
    }

    /// Another operator takes over.
    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = settings();
        change(&mut settings);
        *self.context.lock().unwrap() = Arc::new(Context::new(self.api.client(), settings, self.clock.clone()));
    }

    pub(crate) async fn provisioned() -> Self {
        let story = Self::of(&json!({}));
        story.reconcile().await.unwrap();
        story.give_volume();
        story.reconcile().await.unwrap();
        let ids = json!({"auth": "id-a", "product": "id-p", "order": "id-o", "payment": "id-y"});
        story.end_job("shop-provision-", "Complete", &ids.to_string());
        story.reconcile().await.unwrap();
        story
    }

    /// PostgreSQL's pod, whose first container has said this at its end.
    pub(crate) fn say_of_postgres(&self, words: &str) {
        let ended = json!({"terminated": {"exitCode": 0, "message": words}});
        let first = json!({
            "name": "initialise", "image": "x", "imageID": "x", "ready": true, "restartCount": 0, "state": ended,
        });
        let pod = json!({
            "metadata": {"name": "shop-postgres-0", "labels": {"ecommercestack.dev/stack": "shop"}},
            "status": {"phase": "Running", "initContainerStatuses": [first]},
        });
        self.api.put(&format!("{CORE}/pods/shop-postgres-0"), pod);
    }
}
