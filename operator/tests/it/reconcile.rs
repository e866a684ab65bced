//! Reconciles as stories, against a mocked API.

use std::sync::Arc;

use ecommerce_types::Clock;
use operator::crd::EcommerceStack;
use operator::reconcile::{self, Context};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::fixtures::{settings, stack};
use crate::mocked_api::MockedApi;

const STACK: &str = "/apis/ecommercestack.dev/v1alpha1/namespaces/default/ecommercestacks/shop";
const CORE: &str = "/api/v1/namespaces/default";
const APPS: &str = "/apis/apps/v1/namespaces/default";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/default/events/";
const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs/";

struct Story {
    api: MockedApi,
    context: Arc<Context>,
    clock: Clock,
}

impl Story {
    fn of(spec: &Value) -> Self {
        let api = MockedApi::default();
        api.put(STACK, serde_json::to_value(stack("default", spec)).unwrap());
        let clock = Clock::manual(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
        let context = Arc::new(Context::new(api.client(), settings(), clock.clone()));
        Self { api, context, clock }
    }

    async fn reconcile(&self) -> Result<(), reconcile::Error> {
        reconcile::run(Arc::new(self.stack()), Arc::clone(&self.context)).await.map(|_| ())
    }

    fn stack(&self) -> EcommerceStack {
        serde_json::from_value(self.api.get(STACK).unwrap()).unwrap()
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
                "containerStatuses": [{
                    "name": "main", "image": "x", "imageID": "x", "ready": false, "restartCount": 0,
                    "state": {"terminated": {"exitCode": 0, "message": words}},
                }],
            },
        });
        self.api.put(&format!("{CORE}/pods/{name}-abcde"), pod);
    }

    async fn migrated() -> Self {
        let story = Self::provisioned().await;
        for service in ["auth", "product", "order", "payment"] {
            story.end_job(&format!("shop-{service}-migrate-"), "Complete", "");
        }
        story.reconcile().await.unwrap();
        story
    }

    async fn provisioned() -> Self {
        let story = Self::of(&json!({}));
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
    let again = Story { context: Arc::new(Context::new(story.api.client(), settings(), story.clock.clone())), ..story };
    again.api.put(STACK, serde_json::to_value(stack("default", &json!({}))).unwrap());
    again.reconcile().await.unwrap();
    assert_eq!(again.api.get(&path).unwrap()["data"], before["data"]);
}

#[tokio::test]
async fn a_secret_that_lacks_a_key_gets_that_key_alone() {
    let story = Story::of(&json!({}));
    let path = format!("{CORE}/secrets/shop-redis");
    story.api.put(&path, json!({"metadata": {"name": "shop-redis"}, "data": {"auth": "a2VwdA=="}}));
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
         or take the name out"
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
    assert_eq!(story.stack().status.unwrap().databases.len(), 4);
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
    let notice = ("True".to_owned(), "MigrationNotice".to_owned(), "have an admin give that user the role".to_owned());
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
async fn an_error_is_said_in_a_condition_and_mends_itself() {
    let story = Story::of(&json!({}));
    story.api.refuse(&format!("{APPS}/statefulsets/shop-redis"));
    let error = story.reconcile().await.unwrap_err();
    assert!(error.to_string().starts_with("unable to apply the StatefulSet shop-redis: "), "{error}");
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "ReconcileFailed"));
    assert!(message.contains("someone says no"), "{message}");
    story.api.refuse_nothing();
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
