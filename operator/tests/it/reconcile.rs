//! Reconciles as stories, against a mocked API.

use std::sync::{Arc, Mutex};

use ecommerce_types::Clock;
use operator::crd::EcommerceStack;
use operator::ledger::Ledger;
use operator::reconcile::{self, Context};
use operator::settings::Settings;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::fixtures::{settings, stack};
use crate::mocked_api::MockedApi;

const STACK: &str = "/apis/ecommercestack.dev/v1alpha1/namespaces/default/ecommercestacks/shop";
const CORE: &str = "/api/v1/namespaces/default";
const APPS: &str = "/apis/apps/v1/namespaces/default";
const LEDGER: &str = "/api/v1/namespaces/default/configmaps/shop-ledger";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/default/events/";
const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs/";

struct Story {
    api: MockedApi,
    context: Mutex<Arc<Context>>,
    clock: Clock,
}

impl Story {
    fn of(spec: &Value) -> Self {
        let api = MockedApi::default();
        api.put(STACK, serde_json::to_value(stack("default", spec)).unwrap());
        let clock = Clock::manual(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
        let context = Mutex::new(Arc::new(Context::new(api.client(), settings(), clock.clone())));
        Self { api, context, clock }
    }

    async fn reconcile(&self) -> Result<(), reconcile::Error> {
        let context = Arc::clone(&self.context.lock().unwrap());
        reconcile::run("default", "shop", &context).await.map(|_| ())
    }

    fn stack(&self) -> EcommerceStack {
        serde_json::from_value(self.api.get(STACK).unwrap()).unwrap()
    }

    fn ledger(&self) -> Ledger {
        let map = self.api.get(LEDGER).unwrap();
        Ledger::parse(map["data"]["ledger.json"].as_str().unwrap()).unwrap()
    }

    /// Status, reason and message of a condition.
    fn condition(&self, type_: &str) -> (String, String, String) {
        let conditions = self.stack().status.unwrap().conditions;
        let condition = conditions.into_iter().find(|condition| condition.type_ == type_).unwrap();
        (condition.status, condition.reason, condition.message)
    }

    /// The writes since this was last asked, Events aside.
    fn writes(&self) -> Vec<String> {
        let all = self.api.writes().into_iter();
        all.filter(|write| !write.contains("/events")).collect()
    }

    /// Type and reason of the Events.
    fn events(&self) -> Vec<String> {
        let names = self.api.below(EVENTS);
        let events = names.iter().map(|name| self.api.get(&format!("{EVENTS}{name}")).unwrap());
        events.map(|event| format!("{} {}", event["type"], event["reason"]).replace('"', "")).collect()
    }

    /// PostgreSQL's claim, as the cluster makes it for the `StatefulSet`.
    fn give_volume(&self) {
        let claim = json!({
            "metadata": {"name": "data-shop-postgres-0", "uid": "claim-1"},
            "spec": {"resources": {"requests": {"storage": "5Gi"}}},
        });
        self.api.put(&format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0"), claim);
    }

    fn job(&self, beginning: &str) -> Option<String> {
        self.api.below(JOBS).into_iter().find(|name| name.starts_with(beginning))
    }

    /// A Job ends, and its pod leaves these words.
    fn end_job(&self, beginning: &str, condition: &str, words: &str) {
        let name = self.job(beginning).unwrap_or_else(|| panic!("no Job {beginning}"));
        let container = if name.contains("-provision-") { "provision" } else { "migrate" };
        let ended = json!({"conditions": [{
            "type": condition, "status": "True", "lastTransitionTime": "2027-01-15T08:00:00Z",
            "message": "Job has reached the specified backoff limit",
        }]});
        self.api.change(&format!("{JOBS}{name}"), |job| job["status"] = ended);
        let pod = json!({
            "metadata": {
                "name": format!("{name}-abcde"), "labels": {"batch.kubernetes.io/job-name": name},
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

    async fn migrated() -> Self {
        let story = Self::provisioned().await;
        story.migrate();
        story.reconcile().await.unwrap();
        story
    }

    /// Every migration that is there ends well.
    fn migrate(&self) {
        for name in self.api.below(JOBS).into_iter().filter(|name| name.contains("-migrate-")) {
            self.end_job(&name, "Complete", "");
        }
    }

    /// Every store and every service that is there serves.
    fn serve(&self) {
        for kind in ["statefulsets", "deployments"] {
            for name in self.api.below(&format!("{APPS}/{kind}/")) {
                self.api.change(&format!("{APPS}/{kind}/{name}"), |object| {
                    let replicas = object["spec"]["replicas"].clone();
                    object["status"] = json!({
                        "observedGeneration": object["metadata"]["generation"], "replicas": replicas,
                        "readyReplicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas,
                    });
                });
            }
        }
    }

    /// Changes the spec, and lets the cluster do what it is told until nothing moves.
    async fn upgrade(&self, change: impl FnOnce(&mut Value)) {
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
    fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = settings();
        change(&mut settings);
        *self.context.lock().unwrap() = Arc::new(Context::new(self.api.client(), settings, self.clock.clone()));
    }

    async fn provisioned() -> Self {
        let story = Self::of(&json!({}));
        story.reconcile().await.unwrap();
        story.give_volume();
        story.reconcile().await.unwrap();
        let ids = json!({"auth": "id-a", "product": "id-p", "order": "id-o", "payment": "id-y"});
        story.end_job("shop-provision-", "Complete", &ids.to_string());
        story.reconcile().await.unwrap();
        story
    }
}

#[tokio::test]
async fn the_first_reconcile_makes_secrets_and_starts_every_store_at_once() {
    let story = Story::of(&json!({}));
    story.reconcile().await.unwrap();

    let sets = story.api.below(&format!("{APPS}/statefulsets/"));
    assert_eq!(sets, ["shop-postgres", "shop-rabbitmq", "shop-redis"]);
    let deployments = story.api.below(&format!("{APPS}/deployments/"));
    assert_eq!(deployments, ["shop-gateway"]);
    let secrets = story.api.below(&format!("{CORE}/secrets/"));
    assert_eq!(
        secrets,
        [
            "shop-admin",
            "shop-auth-api-key-hashes",
            "shop-gateway-api-keys",
            "shop-order-api-key-hashes",
            "shop-order-api-keys",
            "shop-payment-api-key-hashes",
            "shop-postgres",
            "shop-product-api-key-hashes",
            "shop-rabbitmq",
            "shop-rabbitmq-config",
            "shop-redis",
            "shop-redis-config",
            "shop-signing-key",
        ]
    );
    let (ready, reason, message) = story.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "WaitingForBackends"));
    assert_eq!(message, "waiting for postgres, rabbitmq, redis");
    assert_eq!(story.stack().status.unwrap().version.as_deref(), Some("1.0.0"));
}

#[tokio::test]
async fn a_reconcile_that_finds_nothing_changed_writes_nothing() {
    let story = Story::of(&json!({}));
    story.reconcile().await.unwrap();
    story.reconcile().await.unwrap();
    story.writes();
    story.reconcile().await.unwrap();
    assert_eq!(story.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn what_someone_else_changed_is_put_back() {
    let story = Story::of(&json!({}));
    story.reconcile().await.unwrap();
    let set = format!("{APPS}/statefulsets/shop-redis");
    story.api.change(&set, |set| {
        set["spec"]["replicas"] = 0.into();
        set["metadata"]["generation"] = 2.into();
    });
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&set).unwrap()["spec"]["replicas"], 1);
}

#[tokio::test]
async fn secrets_once_made_are_never_made_anew() {
    let story = Story::of(&json!({}));
    story.reconcile().await.unwrap();
    let path = format!("{CORE}/secrets/shop-postgres");
    let before = story.api.get(&path).unwrap();
    // Another operator process, which remembers nothing, and a stack that was deleted and made again.
    story.change_settings(|_| {});
    story.api.put(STACK, serde_json::to_value(stack("default", &json!({}))).unwrap());
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&path).unwrap()["data"], before["data"]);
}

#[tokio::test]
async fn a_secret_that_lacks_a_key_gets_that_key_alone() {
    let story = Story::of(&json!({}));
    let path = format!("{CORE}/secrets/shop-redis");
    let ours = json!({"name": "shop-redis", "labels": {"ecommercestack.dev/stack": "shop"}});
    story.api.put(&path, json!({"metadata": ours, "data": {"auth": "a2VwdA=="}}));
    story.reconcile().await.unwrap();
    let data = story.api.get(&path).unwrap()["data"].clone();
    assert_eq!(data["auth"], "a2VwdA==");
    assert!(data["gateway"].is_string() && data["product"].is_string());
}

#[tokio::test]
async fn a_pull_secret_that_is_not_there_is_a_condition_and_changes_nothing_until_it_is() {
    let story = Story::of(&json!({"images": {"pullSecrets": ["registry"]}}));
    story.reconcile().await.unwrap();
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "PullSecretMissing"));
    assert_eq!(
        message,
        "the Secret registry, which spec.images.pullSecrets names, is not there: create it in the stack's namespace, \
         or take the name out (docs/runbook.md, PullSecretMissing)"
    );
    assert_eq!(story.condition("Ready").0, "False");
    assert!(story.api.below(&format!("{APPS}/")).is_empty());
    assert_eq!(story.events(), ["Warning PullSecretMissing"]);

    story.api.put(&format!("{CORE}/secrets/registry"), json!({"metadata": {"name": "registry"}}));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")).len(), 3);
}

#[tokio::test]
async fn a_secret_of_mail_that_names_no_host_is_a_condition_and_its_change_rolls_auth() {
    let story = Story::migrated().await;
    story.serve();
    let mail =
        json!({"secretRef": {"name": "smtp"}, "from": "shop@example.com", "resetUrl": "https://a.example/{token}"});
    story.api.change(STACK, |stack| stack["spec"]["mail"] = mail.clone());
    for data in [None, Some(json!({"port": "NTg3"}))] {
        if let Some(data) = data {
            story.api.put(&format!("{CORE}/secrets/smtp"), json!({"metadata": {"name": "smtp"}, "data": data}));
        }
        story.reconcile().await.unwrap();
        let (degraded, reason, message) = story.condition("Degraded");
        assert_eq!((degraded.as_str(), reason.as_str()), ("True", "MailSecretMissing"));
        assert!(message.contains("the Secret smtp") && message.contains("take spec.mail out"), "{message}");
    }
    let half = json!({"host": "bWFpbA==", "username": "YWRh"});
    story.api.put(&format!("{CORE}/secrets/smtp"), json!({"metadata": {"name": "smtp"}, "data": half}));
    story.reconcile().await.unwrap();
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "MailSecretInvalid");
    assert!(message.contains("without the other: give both, or neither"), "{message}");
    let auth = format!("{APPS}/deployments/shop-auth");
    let template = async |password: &str| {
        let data = json!({"host": "bWFpbA==", "username": "YWRh", "password": password});
        story.api.put(&format!("{CORE}/secrets/smtp"), json!({"metadata": {"name": "smtp"}, "data": data}));
        story.reconcile().await.unwrap();
        story.api.get(&auth).unwrap()["spec"]["template"].clone()
    };
    let (first, second) = (template("b25l").await, template("dHdv").await);
    assert_ne!(first, second);
    assert!(!first.to_string().contains("b25l"), "{first}");
    assert_eq!(story.condition("Degraded").0, "False");
}

/// Auth reads the keys of its tokens again by itself.
#[tokio::test]
async fn keys_of_tokens_that_a_person_changes_roll_nothing() {
    let story = Story::migrated().await;
    let (secret, auth) = (format!("{CORE}/secrets/shop-signing-key"), format!("{APPS}/deployments/shop-auth"));
    let before = story.api.get(&auth).unwrap();
    let keys = json!({"next.pem": "bmV4dA==", "present.pem": "cHJlc2VudA==", "refresh-keys": "bmV3Cm9sZAo="});
    story.api.change(&secret, |secret| secret["data"] = keys.clone());
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&secret).unwrap()["data"], keys);
    assert_eq!(story.api.get(&auth).unwrap(), before);
}

#[tokio::test]
async fn a_paused_stack_is_left_alone() {
    let story = Story::of(&json!({"paused": true}));
    story.reconcile().await.unwrap();
    assert!(story.api.below(&format!("{APPS}/")).is_empty());
    assert!(story.api.below(&format!("{CORE}/secrets/")).is_empty());
    assert_eq!(story.condition("Ready").1, "Paused");
}

#[tokio::test]
async fn services_follow_their_migration_one_by_one() {
    let story = Story::provisioned().await;
    assert_eq!(story.ledger().databases.len(), 4);
    assert!(story.job("shop-order-migrate-").is_some());

    story.end_job("shop-order-migrate-", "Complete", "");
    story.reconcile().await.unwrap();
    let deployments = story.api.below(&format!("{APPS}/deployments/"));
    assert_eq!(deployments, ["shop-gateway", "shop-order"]);
    let (migrated, reason, message) = story.condition("Migrated");
    assert_eq!((migrated.as_str(), reason.as_str()), ("False", "Migrating"));
    assert_eq!(message, "waiting for the migration of auth, product, payment");
}

#[tokio::test]
async fn a_migration_that_is_recorded_needs_its_job_no_more() {
    let story = Story::migrated().await;
    assert_eq!(story.condition("Migrated").0, "True");
    for name in story.api.below(JOBS) {
        story.api.remove(&format!("{JOBS}{name}"));
    }
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Migrated").0, "True");
    assert!(story.api.below(JOBS).is_empty());
}

#[tokio::test]
async fn a_failed_migration_leaves_the_old_pods_shows_its_log_and_is_tried_again() {
    let story = Story::migrated().await;
    let order = format!("{APPS}/deployments/shop-order");
    let before = story.api.get(&order).unwrap();
    for name in story.api.below(JOBS) {
        story.api.remove(&format!("{JOBS}{name}"));
    }

    story.api.change(STACK, |stack| stack["spec"]["version"] = "2.0.0".into());
    story.reconcile().await.unwrap();
    story.end_job(
        "shop-order-migrate-",
        "Failed",
        r#"{"level":"ERROR","message":"order ended","error":"relation orders is not as it was"}"#,
    );
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&order).unwrap(), before);
    let (migrated, reason, message) = story.condition("Migrated");
    assert_eq!((migrated.as_str(), reason.as_str()), ("False", "MigrationFailed"));
    assert!(message.contains("ecommerce-stack/order:2.0.0"), "{message}");
    assert!(message.ends_with("order ended: relation orders is not as it was"), "{message}");
    assert_eq!(story.condition("Degraded").0, "True");

    // Its Job ended at 08:00; five minutes later it goes, and the next look makes it again.
    let failed = story.job("shop-order-migrate-").unwrap();
    story.clock.advance(time::Duration::minutes(6));
    story.reconcile().await.unwrap();
    assert!(story.job("shop-order-migrate-").is_none());
    story.reconcile().await.unwrap();
    assert_eq!(story.job("shop-order-migrate-").unwrap(), failed);
}

/// The address of the first admin may be a customer's, who is not made one: auth says so once it has migrated.
#[tokio::test]
async fn what_a_migration_leaves_to_do_is_shown_until_it_is_done_and_stops_nothing() {
    let story = Story::migrated().await;
    for name in story.api.below(JOBS) {
        story.api.remove(&format!("{JOBS}{name}"));
    }
    story.api.change(STACK, |stack| stack["spec"]["admin"] = json!({"email": "ada@example.com"}));
    story.reconcile().await.unwrap();
    assert_eq!(story.api.below(JOBS).len(), 1, "auth alone is told of it");
    story.end_job("shop-auth-migrate-", "Complete", "have an admin give that user the role");
    story.reconcile().await.unwrap();
    let notice = (
        "True".to_owned(),
        "MigrationNotice".to_owned(),
        "have an admin give that user the role (docs/runbook.md, MigrationNotice)".to_owned(),
    );
    assert_eq!(story.condition("Degraded"), notice);
    assert_eq!(story.condition("Migrated").0, "True");
    assert!(story.events().contains(&"Warning MigrationNotice".to_owned()), "{:?}", story.events());

    // Its Job ended at 08:00; five minutes later it goes, and the next look makes it again. Until it has ended nothing changes.
    let first = story.job("shop-auth-migrate-").unwrap();
    story.clock.advance(time::Duration::minutes(6));
    for job in [None, Some(first.clone())] {
        story.reconcile().await.unwrap();
        assert_eq!(story.job("shop-auth-migrate-"), job);
        assert_eq!((story.condition("Degraded"), story.condition("Migrated").0), (notice.clone(), "True".to_owned()));
    }
    story.end_job("shop-auth-migrate-", "Complete", "");
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "AsExpected");
    story.api.remove(&format!("{JOBS}{first}"));
    story.reconcile().await.unwrap();
    assert_eq!(story.job("shop-auth-migrate-"), None);
}

#[tokio::test]
async fn another_volume_is_provisioned_and_migrated_again() {
    let story = Story::migrated().await;
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    story.api.change(&claim, |claim| claim["metadata"]["uid"] = "claim-2".into());
    let old = story.job("shop-provision-").unwrap();
    story.reconcile().await.unwrap();
    let new = story.api.below(JOBS).into_iter().find(|name| name.starts_with("shop-provision-") && *name != old);
    let ids = json!({"auth": "id-2", "product": "id-2", "order": "id-2", "payment": "id-2"});
    story.end_job(&new.unwrap(), "Complete", &ids.to_string());
    story.reconcile().await.unwrap();
    let migrations = story.api.below(JOBS).into_iter().filter(|name| name.contains("-migrate-")).count();
    assert_eq!(migrations, 8);
}

#[tokio::test]
async fn what_is_refused_is_said_and_stops_nothing_else() {
    let story = Story::of(&json!({}));
    story.api.refuse(&format!("{CORE}/services/shop-gateway"));
    story.api.refuse(&format!("{APPS}/statefulsets/shop-redis"));
    let error = story.reconcile().await.unwrap_err();
    assert!(error.to_string().contains("refuses to apply the StatefulSet shop-redis: someone says no"), "{error}");
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "Refused"));
    assert!(message.contains("Service shop-gateway") && message.contains("StatefulSet shop-redis"), "{message}");
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")), ["shop-postgres", "shop-rabbitmq"]);
    assert_eq!(story.api.below(&format!("{CORE}/services/")).len(), 7);
    story.api.refuse_nothing();
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")).len(), 3);
}

#[tokio::test]
async fn an_object_that_is_somebody_elses_is_left_alone() {
    let story = Story::of(&json!({}));
    let (service, secret) = (format!("{CORE}/services/shop-redis"), format!("{CORE}/secrets/shop-admin"));
    let theirs =
        |name| json!({"metadata": {"name": name, "labels": {"app": "other"}}, "spec": {"selector": {"app": "other"}}});
    story.api.put(&service, theirs("shop-redis"));
    story.api.put(&secret, theirs("shop-admin"));
    story.reconcile().await.unwrap_err();
    assert_eq!(
        (story.api.get(&service), story.api.get(&secret)),
        (Some(theirs("shop-redis")), Some(theirs("shop-admin")))
    );
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "NameTaken"));
    assert!(message.contains("Secret shop-admin") && message.contains("another name"), "{message}");
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")).len(), 3, "the rest goes on");

    story.api.remove(&service);
    story.api.remove(&secret);
    story.reconcile().await.unwrap();
    assert!(story.api.get(&secret).unwrap()["data"]["password"].is_string());
    assert_eq!(story.condition("Degraded").0, "False");
}

#[tokio::test]
async fn a_volume_that_does_not_grow_is_said_and_stops_nothing_else() {
    let story = Story::migrated().await;
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    story.api.refuse(&claim);
    story.api.change(STACK, |stack| {
        stack["spec"] = json!({
            "postgres": {"embedded": {"storage": {"size": "10Gi"}}}, "services": {"order": {"replicas": 3}},
        });
    });
    story.reconcile().await.unwrap_err();
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "VolumeRefused");
    assert!(message.contains("data-shop-postgres-0 does not grow to 10Gi: someone says no"), "{message}");
    assert_eq!(story.api.get(&format!("{APPS}/deployments/shop-order")).unwrap()["spec"]["replicas"], 3);

    // The same amount in another unit is no growth, and a smaller one is never asked for.
    for size in ["5Gi", "5120Mi", "1Gi"] {
        story.api.change(STACK, |stack| stack["spec"]["postgres"]["embedded"]["storage"]["size"] = size.into());
        story.reconcile().await.unwrap();
        assert_eq!(story.condition("Degraded").0, "False", "{size}");
    }
}

#[tokio::test]
async fn a_ledger_that_somebody_took_away_is_made_anew_from_what_runs_and_nothing_rolls() {
    let story = Story::migrated().await;
    story.change_settings(|settings| "9.9.9".clone_into(&mut settings.services_version));
    let deployments = || {
        let names = story.api.below(&format!("{APPS}/deployments/"));
        names
            .iter()
            .map(|name| story.api.get(&format!("{APPS}/deployments/{name}")).unwrap()["spec"].clone())
            .collect::<Vec<_>>()
    };
    let (before, secrets) = (deployments(), story.api.below(&format!("{CORE}/secrets/")));
    let pins = story.ledger().pins;
    story.api.remove(LEDGER);
    for _ in 0..3 {
        story.reconcile().await.unwrap();
        assert_eq!(deployments(), before);
    }
    assert_eq!(story.ledger().pins, pins);
    assert_eq!(story.api.below(&format!("{CORE}/secrets/")), secrets);
    assert_eq!(story.condition("Migrated").0, "True");
}

#[tokio::test]
async fn a_ledger_that_does_not_read_is_said_and_nothing_is_changed() {
    let story = Story::migrated().await;
    story.api.change(LEDGER, |map| map["data"]["ledger.json"] = "{ half".into());
    story.api.change(STACK, |stack| stack["spec"]["services"] = json!({"order": {"replicas": 3}}));
    story.writes();
    story.reconcile().await.unwrap();
    assert_eq!(story.writes(), [format!("PATCH {STACK}/status")]);
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "LedgerUnreadable");
    assert!(message.contains("the ConfigMap shop-ledger does not read"), "{message}");
}

#[tokio::test]
async fn a_secret_in_use_is_never_made_anew_and_what_knows_it_stays() {
    let story = Story::migrated().await;
    let (secret, order) = (format!("{CORE}/secrets/shop-postgres"), format!("{APPS}/deployments/shop-order"));
    let (before, pods) = (story.api.get(&secret).unwrap(), story.api.get(&order).unwrap());
    story.api.remove(&secret);
    for _ in 0..2 {
        story.reconcile().await.unwrap();
        assert_eq!(story.api.get(&secret), None);
        assert_eq!(story.api.get(&order).unwrap()["spec"], pods["spec"]);
    }
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "CredentialsLost"));
    assert!(message.contains("shop-postgres has lost auth-login, auth-migrate"), "{message}");

    // Put back as it was, by whatever tool, nothing rolls.
    story.api.put(&secret, json!({"metadata": {"name": "shop-postgres"}, "data": before["data"]}));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert_eq!(story.api.get(&order).unwrap()["spec"], pods["spec"]);
}

#[tokio::test]
async fn each_secret_that_is_taken_away_stays_away_and_is_named() {
    let story = Story::migrated().await;
    for name in ["postgres", "rabbitmq", "redis", "signing-key", "admin", "gateway-api-keys", "order-api-keys"] {
        let path = format!("{CORE}/secrets/shop-{name}");
        let before = story.api.get(&path).unwrap();
        story.api.remove(&path);
        for _ in 0..2 {
            story.reconcile().await.unwrap();
            assert_eq!(story.api.get(&path), None, "{name}");
        }
        let (_, reason, message) = story.condition("Degraded");
        assert_eq!(reason, "CredentialsLost");
        assert!(message.contains(&format!("the Secret shop-{name} has lost")), "{message}");
        story.api.put(&path, json!({"metadata": {"name": format!("shop-{name}")}, "data": before["data"]}));
        story.reconcile().await.unwrap();
        assert_eq!(story.condition("Degraded").0, "False", "{name}");
    }
}

#[tokio::test]
async fn other_passwords_reach_the_server_before_they_reach_the_pods() {
    let story = Story::migrated().await;
    let (secret, order) = (format!("{CORE}/secrets/shop-postgres"), format!("{APPS}/deployments/shop-order"));
    story.serve();
    story.reconcile().await.unwrap();
    let pods = story.api.get(&order).unwrap()["spec"]["template"].clone();
    let first = story.job("shop-provision-").unwrap();
    story.api.change(&secret, |secret| secret["data"]["order-login"] = "bmV3".into());
    story.reconcile().await.unwrap();
    let second = story.api.below(JOBS).into_iter().find(|name| name.starts_with("shop-provision-") && *name != first);
    assert_eq!(story.api.get(&order).unwrap()["spec"]["template"], pods);
    let ids = json!({"auth": "id-a", "product": "id-p", "order": "id-o", "payment": "id-y"});
    story.end_job(&second.unwrap(), "Complete", &ids.to_string());
    story.reconcile().await.unwrap();
    assert_ne!(story.api.get(&order).unwrap()["spec"]["template"], pods);
}

#[tokio::test]
async fn a_version_that_was_named_and_is_no_more_leaves_what_was_before() {
    let story = Story::migrated().await;
    let image = |story: &Story| {
        let gateway = story.api.get(&format!("{APPS}/deployments/shop-gateway")).unwrap();
        gateway["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    };
    assert_eq!(image(&story), "ecommerce-stack/gateway:1.0.0");
    story.upgrade(|spec| spec["version"] = "2.0.0".into()).await;
    assert_eq!(image(&story), "ecommerce-stack/gateway:2.0.0");
    // Another operator has another version of its own and another registry.
    story.change_settings(|settings| {
        "9.9.9".clone_into(&mut settings.services_version);
        "elsewhere".clone_into(&mut settings.services_registry);
    });
    story.upgrade(|spec| *spec = json!({})).await;
    assert_eq!(image(&story), "ecommerce-stack/gateway:1.0.0");
}

#[tokio::test]
async fn a_service_that_waits_is_kept_scaled_and_repaired_at_what_it_shows() {
    let story = Story::migrated().await;
    let order = format!("{APPS}/deployments/shop-order");
    let template = story.api.get(&order).unwrap()["spec"]["template"].clone();
    story.api.change(STACK, |stack| {
        stack["spec"] = json!({"version": "2.0.0", "services": {"order": {"replicas": 5}}});
    });
    story.reconcile().await.unwrap();
    story.end_job("shop-order-migrate-", "Failed", "no");
    story.api.remove(&order);
    story.reconcile().await.unwrap();
    let again = story.api.get(&order).unwrap();
    assert_eq!((&again["spec"]["template"], &again["spec"]["replicas"]), (&template, &json!(5)));
}

#[tokio::test]
async fn an_upgrade_that_misses_its_deadline_goes_back_and_says_so() {
    let story = Story::migrated().await;
    story.serve();
    story.reconcile().await.unwrap();
    let image = |service: &str| {
        let deployment = story.api.get(&format!("{APPS}/deployments/shop-{service}")).unwrap();
        deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    };
    story.api.change(STACK, |stack| {
        stack["spec"]["version"] = "2.0.0".into();
        stack["metadata"]["generation"] = 2.into();
    });
    story.reconcile().await.unwrap();
    story.migrate();
    story.reconcile().await.unwrap();
    assert_eq!(
        (image("product"), image("order")),
        ("ecommerce-stack/product:2.0.0".into(), "ecommerce-stack/order:1.0.0".into())
    );
    story.api.change(&format!("{APPS}/deployments/shop-product"), |product| {
        product["status"] = json!({
            "observedGeneration": product["metadata"]["generation"],
            "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}],
        });
    });
    story.reconcile().await.unwrap();
    assert_eq!(image("product"), "ecommerce-stack/product:1.0.0");
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "UpgradeFailed");
    assert!(message.starts_with("product did not come up with ecommerce-stack/product:2.0.0"), "{message}");
    story.serve();
    story.reconcile().await.unwrap();
    assert_eq!(
        (image("product"), story.condition("Ready").1.as_str()),
        ("ecommerce-stack/product:1.0.0".into(), "UpgradeFailed")
    );

    story.api.change(STACK, |stack| stack["metadata"]["annotations"] = json!({"ecommercestack.dev/retry": "1"}));
    story.reconcile().await.unwrap();
    assert_eq!(image("product"), "ecommerce-stack/product:2.0.0");
}

/// `kubectl delete sts` is a usual move of whoever is on call: the data of a living shop stays.
#[tokio::test]
async fn a_volume_goes_with_the_stack_or_with_nobody_and_never_with_its_set() {
    let story = Story::migrated().await;
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    for (policy, owners) in [("Delete", json!(["EcommerceStack"])), ("Retain", json!([]))] {
        story.api.change(STACK, |stack| stack["spec"]["deletionPolicy"] = policy.into());
        story.reconcile().await.unwrap();
        let owned = story.api.get(&claim).unwrap()["metadata"]["ownerReferences"].clone();
        let kinds: Vec<_> = owned.as_array().into_iter().flatten().map(|owner| owner["kind"].clone()).collect();
        assert_eq!(json!(kinds), owners, "{policy}");
        let set = story.api.get(&format!("{APPS}/statefulsets/shop-postgres")).unwrap();
        assert_eq!(set["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"], "Retain");
    }
}

#[tokio::test]
async fn passwords_that_come_back_within_the_hour_are_set_in_the_server_again() {
    let story = Story::migrated().await;
    let secret = format!("{CORE}/secrets/shop-postgres");
    let first = story.job("shop-provision-").unwrap();
    let before = story.api.get(&secret).unwrap()["data"]["order-login"].clone();
    let ids = json!({"auth": "id-a", "product": "id-p", "order": "id-o", "payment": "id-y"});
    story.api.change(&secret, |secret| secret["data"]["order-login"] = "bmV3".into());
    story.reconcile().await.unwrap();
    let second = story.job("shop-provision-").unwrap();
    assert_ne!(first, second, "the one for other passwords is gone");
    story.end_job(&second, "Complete", &ids.to_string());
    story.reconcile().await.unwrap();
    story.api.change(&secret, |secret| secret["data"]["order-login"] = before.clone());
    story.reconcile().await.unwrap();
    story.reconcile().await.unwrap();
    assert!(story.api.get(&format!("{JOBS}{first}")).unwrap()["status"].is_null(), "it runs again");
}

#[tokio::test]
async fn a_migration_that_runs_is_not_stopped_by_what_holds_the_rest() {
    let story = Story::provisioned().await;
    let running = story.api.below(JOBS);
    story.api.change(STACK, |stack| stack["spec"]["images"] = json!({"pullSecrets": ["registry"]}));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "PullSecretMissing");
    assert_eq!(story.api.below(JOBS), running);
}

#[tokio::test]
async fn a_password_reaches_the_pods_also_while_an_upgrade_waits() {
    let story = Story::migrated().await;
    story.serve();
    story.api.change(STACK, |stack| stack["spec"]["version"] = "2.0.0".into());
    story.reconcile().await.unwrap();
    story.end_job("shop-order-migrate-", "Failed", "no");
    let product = format!("{APPS}/deployments/shop-product");
    let template = |story: &Story| story.api.get(&product).unwrap()["spec"]["template"].clone();
    let before = template(&story);
    story.api.change(&format!("{CORE}/secrets/shop-redis"), |secret| secret["data"]["product"] = "bmV3".into());
    story.reconcile().await.unwrap();
    assert_eq!(template(&story), before, "redis does not know it yet");
    story.serve();
    story.reconcile().await.unwrap();
    let after = template(&story);
    let configuration =
        |template: &Value| template["metadata"]["annotations"]["ecommercestack.dev/configuration"].clone();
    assert_ne!(configuration(&after), configuration(&before));
    assert_eq!(after["spec"], before["spec"], "and nothing else");
}

#[tokio::test]
async fn a_stack_that_is_made_again_beside_what_it_left_starts() {
    let story = Story::migrated().await;
    let take_away = |below: &str| {
        for name in story.api.below(below) {
            story.api.remove(&format!("{below}{name}"));
        }
    };
    for kind in ["deployments", "statefulsets", "controllerrevisions"] {
        take_away(&format!("{APPS}/{kind}/"));
    }
    // With a failure of its former life, for a wave that may come again.
    story.api.change(LEDGER, |map| {
        let mut ledger = Ledger::parse(map["data"]["ledger.json"].as_str().unwrap()).unwrap();
        ledger.pins.version = "1.1.0".to_owned();
        map["data"]["ledger.json"] = ledger.text().into();
    });
    story.reconcile().await.unwrap();
    story.migrate();
    story.reconcile().await.unwrap();
    assert_eq!(story.api.below(&format!("{APPS}/deployments/")).len(), 5);
}

#[tokio::test]
async fn a_ledger_that_goes_with_another_stack_of_the_name_is_none() {
    let story = Story::migrated().await;
    let theirs =
        json!([{"apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack", "name": "shop", "uid": "gone"}]);
    story.api.change(LEDGER, |map| map["metadata"]["ownerReferences"] = theirs);
    for below in
        [format!("{APPS}/deployments/"), format!("{APPS}/statefulsets/"), format!("{CORE}/secrets/"), JOBS.to_owned()]
    {
        for name in story.api.below(&below) {
            story.api.remove(&format!("{below}{name}"));
        }
    }
    story.api.remove(&format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0"));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert!(story.api.get(&format!("{CORE}/secrets/shop-postgres")).is_some());
    assert_eq!(story.ledger().provisioned_from, None);
}

#[tokio::test]
async fn with_whom_a_secret_goes_is_said_also_where_it_has_lost_a_key() {
    let story = Story::migrated().await;
    let secret = format!("{CORE}/secrets/shop-postgres");
    story.api.change(&secret, |secret| {
        secret["data"].as_object_mut().unwrap().remove("order-login");
    });
    story.api.change(STACK, |stack| stack["spec"]["deletionPolicy"] = "Delete".into());
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "CredentialsLost");
    assert_eq!(story.api.get(&secret).unwrap()["metadata"]["ownerReferences"][0]["kind"], "EcommerceStack");
}

#[tokio::test]
async fn hours_in_which_nothing_happens_are_silent() {
    let story = Story::migrated().await;
    story.serve();
    for _ in 0..3 {
        story.reconcile().await.unwrap();
    }
    assert_eq!(story.condition("Ready").0, "True");
    story.writes();
    for _ in 0..36 {
        story.clock.advance(time::Duration::minutes(5));
        story.reconcile().await.unwrap();
    }
    assert_eq!(story.writes(), [""; 0]);

    // Whatever of ours is taken away or changed is back at the next look, configuration and derived secrets too.
    for path in ["configmaps/shop-postgres-config", "secrets/shop-redis-config", "secrets/shop-order-api-key-hashes"] {
        let before = story.api.get(&format!("{CORE}/{path}")).unwrap();
        story.api.remove(&format!("{CORE}/{path}"));
        story.reconcile().await.unwrap();
        let after = story.api.get(&format!("{CORE}/{path}")).unwrap();
        assert_eq!((&before["data"], &before["metadata"]["labels"]), (&after["data"], &after["metadata"]["labels"]));
    }
    let order = format!("{APPS}/deployments/shop-order");
    story.api.change(&order, |order| order["metadata"]["labels"]["ecommercestack.dev/stack"] = "shop".into());
    story.api.change(&order, |order| order["metadata"]["ownerReferences"] = json!([]));
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&order).unwrap()["metadata"]["ownerReferences"][0]["name"], "shop");
}

#[tokio::test]
async fn a_failed_job_that_somebody_took_away_is_not_made_again_before_its_time() {
    let story = Story::provisioned().await;
    story.end_job("shop-order-migrate-", "Failed", "the end of its log");
    story.reconcile().await.unwrap();
    story.api.remove(&format!("{JOBS}{}", story.job("shop-order-migrate-").unwrap()));
    for _ in 0..3 {
        story.reconcile().await.unwrap();
        assert_eq!(story.job("shop-order-migrate-"), None);
        assert!(story.condition("Migrated").2.ends_with("the end of its log"));
    }
    story.clock.advance(time::Duration::minutes(6));
    story.reconcile().await.unwrap();
    assert!(story.job("shop-order-migrate-").is_some());
    assert_eq!(story.condition("Migrated").1, "MigrationFailed", "until it has ended it says nothing new");
}

#[tokio::test]
async fn an_answer_that_never_comes_costs_one_look_and_is_said() {
    let story = Story::migrated().await;
    story.api.keep_silent(Some(&format!("{APPS}/statefulsets")));
    let error = story.reconcile().await.unwrap_err();
    assert_eq!(error.to_string(), "a look at the stack took longer than 2 seconds and was cut off");
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "ReconcileFailed"));
    assert!(message.starts_with("a look at the stack took longer"), "{message}");
    story.api.keep_silent(None);
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
}

#[tokio::test]
async fn a_stack_that_does_not_read_has_a_condition_of_its_own() {
    let story = Story::migrated().await;
    let before = story.api.below(&format!("{APPS}/"));
    story.api.change(STACK, |stack| {
        stack["spec"] = json!({"services": {"order": {"replicas": "three"}}});
        stack["status"]["migrations"][0]["state"] = "Later".into();
    });
    let error = story.reconcile().await.unwrap_err();
    assert!(error.to_string().starts_with("this operator does not read the stack (invalid type: string"), "{error}");
    let conditions = story.api.get(STACK).unwrap()["status"]["conditions"].clone();
    for (condition, status) in [("Ready", "False"), ("Degraded", "True")] {
        let found = conditions.as_array().unwrap().iter().find(|one| one["type"] == condition).unwrap();
        assert_eq!((&found["status"], &found["reason"]), (&json!(status), &json!("Invalid")));
    }
    assert_eq!(story.api.below(&format!("{APPS}/")), before);
    story.api.change(STACK, |stack| stack["spec"] = json!({}));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
}

#[tokio::test]
async fn transition_times_move_only_when_a_condition_flips() {
    let story = Story::of(&json!({}));
    story.reconcile().await.unwrap();
    let time = |story: &Story| story.stack().status.unwrap().conditions[0].last_transition_time.clone();
    let before = time(&story);
    story.clock.advance(time::Duration::minutes(5));
    story.api.change(STACK, |stack| stack["metadata"]["generation"] = 2.into());
    story.reconcile().await.unwrap();
    assert_eq!(time(&story), before);
    assert_eq!(story.stack().status.unwrap().observed_generation, Some(2));
}
