//! Stories of what a spec asks for and can not have: what needs it stays as it is, and the rest goes on.

use operator::reconcile::Ended;
use serde_json::json;

use crate::story::{APPS, CORE, STACK, Story};

#[tokio::test]
async fn a_pull_secret_that_is_not_there_is_a_condition_and_changes_nothing_until_it_is() {
    let story = Story::of(&json!({"images": {"pullSecrets": ["registry"]}}));
    story.reconcile().await.unwrap();
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "PullSecretMissing"));
    assert_eq!(
        message,
        "the Secret registry, which spec.images.pullSecrets names, is not there: create it in the stack's namespace, \
         or take the name out (docs/runbook.md#pullsecretmissing)"
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

#[tokio::test]
async fn an_image_of_another_major_version_is_held_back_and_nothing_else_is() {
    let story = Story::migrated().await;
    story.say_of_postgres("7301 17");
    story.reconcile().await.unwrap();
    let image = |story: &Story| {
        let set = story.api.get(&format!("{APPS}/statefulsets/shop-postgres")).unwrap();
        set["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    };
    story.api.change(STACK, |stack| {
        stack["spec"]["postgres"] = json!({"embedded": {"image": "docker.io/library/postgres:18.1"}});
        stack["spec"]["services"] = json!({"order": {"replicas": 3}});
    });
    story.reconcile().await.unwrap();
    assert_eq!(image(&story), "docker.io/library/postgres:17.6");
    assert_eq!(story.api.get(&format!("{APPS}/deployments/shop-order")).unwrap()["spec"]["replicas"], 3);
    let (status, reason, message) = story.condition("Degraded");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "OtherMajorVersion"));
    assert!(message.contains("are of PostgreSQL 17") && message.contains("postgres:18.1"), "{message}");
    story.api.change(STACK, |stack| {
        stack["spec"]["postgres"] = json!({"embedded": {"image": "docker.io/library/postgres:17.7"}});
    });
    story.reconcile().await.unwrap();
    assert_eq!(image(&story), "docker.io/library/postgres:17.7");
}

#[tokio::test]
async fn a_request_above_its_limit_holds_its_part_and_nothing_else() {
    let story = Story::migrated().await;
    let resources = |request: &str, limit: &str| json!({"requests": {"memory": request}, "limits": {"memory": limit}});
    story.api.change(STACK, |stack| {
        stack["spec"]["redis"] = json!({"embedded": {"resources": resources("1Gi", "512Mi")}});
        stack["spec"]["rabbitmq"] = json!({"embedded": {"resources": resources("512Mi", "1Gi")}});
        stack["spec"]["services"] =
            json!({"order": {"resources": {"requests": {"cpu": 1}, "limits": {"cpu": "500m"}}}});
    });
    story.reconcile().await.unwrap();
    let limit = |store: &str| {
        let set = story.api.get(&format!("{APPS}/statefulsets/shop-{store}")).unwrap();
        set["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"].clone()
    };
    assert_eq!((limit("redis"), limit("rabbitmq")), (json!("256Mi"), json!("1Gi")));
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "RequestAboveLimit");
    assert!(message.contains("spec.redis.embedded.resources.requests.memory (1Gi)"), "{message}");
    assert!(message.contains("spec.services.order.resources.requests.cpu (1) is more than"), "{message}");
}

#[tokio::test]
async fn a_store_that_is_held_keeps_what_stands_in_front_of_it() {
    let story = Story::open().await;
    let resources = json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}});
    story.api.change(STACK, |stack| stack["spec"]["redis"] = json!({"embedded": {"resources": resources}}));
    let service = format!("{CORE}/services/shop-redis");
    story.api.remove(&service);
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "RequestAboveLimit");
    assert!(story.api.get(&service).is_some());
}

/// The column of `kubectl get` and the message beside it are of one condition, and tell one story.
#[tokio::test]
async fn a_shop_that_serves_and_has_something_to_be_mended_is_available_and_not_ready() {
    let story = Story::open().await;
    let secret = format!("{CORE}/secrets/shop-redis");
    let before = story.api.get(&secret).unwrap();
    story.api.remove(&secret);
    assert_eq!(story.look().await.unwrap(), Ended::WaitsForAPerson, "who mends it would like to see that");
    let (ready, reason, message) = story.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "CredentialsLost"));
    assert!(message.contains("the Secret shop-redis has lost") && !message.contains("is open"), "{message}");
    assert_eq!(story.condition("Available").0, "True");

    story.api.put(&secret, before);
    assert_eq!(story.look().await.unwrap(), Ended::Ready);
    assert!(story.condition("Ready").2.starts_with("the shop is open"));
}

#[tokio::test]
async fn an_image_that_is_not_taken_leaves_a_stack_that_is_not_as_asked_for() {
    let story = Story::open().await;
    story.say_of_postgres("7301 17");
    story.reconcile().await.unwrap();
    story.api.change(STACK, |stack| {
        stack["spec"]["postgres"] = json!({"embedded": {"image": "docker.io/library/postgres:18.1"}});
    });
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("BackendsReady").0, "True", "the server runs on as it is");
    assert_eq!((story.condition("Ready").0, story.condition("Ready").1), ("False".into(), "OtherMajorVersion".into()));
}

/// A recorder of Kubernetes counts what has the same reason as one Event, under the words of the first.
#[tokio::test]
async fn each_event_has_words_of_its_own() {
    let story = Story::of(&json!({}));
    for name in ["registry", "mirror"] {
        story.api.change(STACK, |stack| stack["spec"]["images"] = json!({"pullSecrets": [name]}));
        story.reconcile().await.unwrap();
        story.api.change(STACK, |stack| stack["spec"] = json!({}));
        story.reconcile().await.unwrap();
    }
    let notes = story.notes("PullSecretMissing");
    assert_eq!(notes.len(), 2, "{notes:?}");
    for name in ["registry", "mirror"] {
        assert!(notes.iter().any(|note| note.starts_with(&format!("the Secret {name}, "))), "{notes:?}");
    }
}

/// Its image may be on the node, and without a pod there is nothing that a vain try could harm.
#[tokio::test]
async fn a_store_that_somebody_took_away_is_made_again_also_without_its_pull_secret() {
    let story = Story::open().await;
    story.api.change(STACK, |stack| stack["spec"]["images"] = json!({"pullSecrets": ["registry"]}));
    story.reconcile().await.unwrap();
    let set = format!("{APPS}/statefulsets/shop-postgres");
    story.api.remove(&set);
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "PullSecretMissing");
    assert!(story.api.get(&set).is_some());
}

async fn waits_for_a_certificate() -> Story {
    let story = Story::open().await;
    let ingress = json!({"host": "shop.example", "tlsSecret": "certificate"});
    story.api.change(STACK, |stack| stack["spec"]["gateway"] = json!({"ingress": ingress}));
    story.reconcile().await.unwrap();
    story
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_said_and_holds_nothing() {
    let story = waits_for_a_certificate().await;
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "TlsSecretMissing"));
    assert!(message.contains("the Secret certificate") && message.contains("kubectl create secret tls"), "{message}");
    assert_eq!((story.condition("Ready").0, story.condition("Available").0), ("False".into(), "True".into()));
    assert_eq!(story.api.below("/apis/networking.k8s.io/v1/namespaces/default/ingresses/"), ["shop-gateway"]);

    story.api.put(&format!("{CORE}/secrets/certificate"), json!({"metadata": {"name": "certificate"}}));
    story.reconcile().await.unwrap();
    assert_eq!((story.condition("Degraded").0, story.condition("Ready").0), ("False".into(), "True".into()));
}

/// Nobody but Kubernetes knows why no pod comes, and it says so of the Job alone.
#[tokio::test]
async fn a_quota_that_lets_no_pod_of_a_migration_in_is_said_in_its_own_words() {
    let story = Story::open().await;
    story.api.change(STACK, |stack| stack["spec"]["version"] = "2.0.0".into());
    story.reconcile().await.unwrap();
    let job = story.job("shop-auth-migrate-").unwrap();
    let warning = json!({
        "metadata": {"name": "one"}, "type": "Warning", "reason": "FailedCreate", "lastTimestamp": "2027-01-15T08:00:00Z",
        "involvedObject": {"kind": "Job", "name": job}, "message": "pods is forbidden: exceeded quota: team",
    });
    story.api.put(&format!("{CORE}/events/one"), warning);
    story.reconcile().await.unwrap();
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "PodsRefused");
    assert!(
        message.starts_with(&format!("no pod of {job} can be made: pods is forbidden: exceeded quota: team")),
        "{message}"
    );
    assert_eq!(story.condition("Ready").1, "PodsRefused");
}

/// A certificate is waited for and an order does not start: who reads only of the certificate looks in the wrong place.
#[tokio::test]
async fn trouble_is_told_beside_what_holds_nothing_up() {
    let story = waits_for_a_certificate().await;
    let waiting = json!({"waiting": {"reason": "ImagePullBackOff"}});
    let pod = json!({
        "metadata": {"name": "shop-order-1", "labels": {"ecommercestack.dev/stack": "shop"}},
        "status": {"phase": "Pending", "containerStatuses": [{
            "name": "order", "image": "order:9", "imageID": "", "ready": false, "restartCount": 0, "state": waiting,
        }]},
    });
    story.api.put(&format!("{CORE}/pods/shop-order-1"), pod);
    story.reconcile().await.unwrap();
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "PodsInTrouble", "{message}");
    assert!(
        message.contains("can not get its image order:9") && message.contains("the Secret certificate"),
        "{message}"
    );
    assert_eq!(story.condition("Ready").2, message);
    assert_eq!(story.notes("PodsInTrouble").len(), 1);
}
