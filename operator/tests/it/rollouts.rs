//! Stories of the ledger and of what services show: pins, waiting, upgrades and the way back.

use operator::ledger::Ledger;
use operator::names::Names;
use operator::reconcile::status::now;
use serde_json::{Value, json};

use crate::story::{APPS, CORE, JOBS, LEDGER, STACK, Story};

const REVISIONS: &str = "/apis/apps/v1/namespaces/default/controllerrevisions/";

fn miss_its_deadline(deployment: &mut Value) {
    deployment["status"] = json!({
        "observedGeneration": deployment["metadata"]["generation"],
        "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}],
    });
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

/// "A reset": it reads, and says nothing of what runs.
#[tokio::test]
async fn a_ledger_that_somebody_emptied_takes_what_runs_and_makes_no_secret_anew() {
    let story = Story::open().await;
    let (pins, credentials) = (story.ledger().pins, story.ledger().credentials);
    let templates = || {
        let all = story.api.below(&format!("{APPS}/")).into_iter().map(|path| story.api.get(&format!("{APPS}/{path}")));
        all.map(|object| object.unwrap()["spec"]["template"].clone()).collect::<Vec<_>>()
    };
    let before = templates();
    story.api.change(LEDGER, |map| map["data"]["ledger.json"] = "{}".into());
    story.api.remove(&format!("{CORE}/secrets/shop-redis"));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "CredentialsLost");
    assert_eq!(story.api.get(&format!("{CORE}/secrets/shop-redis")), None);
    assert_eq!((story.ledger().pins, story.ledger().credentials), (pins, credentials));
    assert_eq!(templates(), before, "nothing rolls");
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
    story.api.change(&format!("{APPS}/deployments/shop-product"), miss_its_deadline);
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

/// Applied again while Kubernetes still takes away what went with the stack before.
#[tokio::test]
async fn a_stack_begins_when_what_a_former_one_of_its_name_has_left_is_gone() {
    let story = Story::migrated().await;
    let theirs =
        json!([{"apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack", "name": "shop", "uid": "gone"}]);
    let secret = format!("{CORE}/secrets/shop-postgres");
    for path in [LEDGER, &secret] {
        story.api.change(path, |object| object["metadata"]["ownerReferences"] = theirs.clone());
    }
    story.writes();
    story.reconcile().await.unwrap();
    let written = story.writes();
    assert_eq!(written, [format!("PATCH {STACK}/status")]);
    let (ready, reason, message) = story.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "FormerStackGoing"));
    assert!(message.ends_with("ConfigMap shop-ledger, Secret shop-postgres"), "{message}");

    for below in
        [format!("{APPS}/deployments/"), format!("{APPS}/statefulsets/"), format!("{CORE}/secrets/"), JOBS.to_owned()]
    {
        for name in story.api.below(&below) {
            story.api.remove(&format!("{below}{name}"));
        }
    }
    story.api.remove(&format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0"));
    story.api.remove(LEDGER);
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert!(story.api.get(&secret).is_some());
    assert_eq!(story.ledger().provisioned_from, None);
}

/// The pod of before serves on until the new one does, and is no pod of what was asked for.
#[tokio::test]
async fn a_service_is_not_ready_while_the_pod_that_serves_is_the_one_of_before() {
    let story = Story::migrated().await;
    for _ in 0..4 {
        story.serve();
        story.reconcile().await.unwrap();
    }
    assert_eq!(story.condition("Ready").0, "True");
    let gateway = format!("{APPS}/deployments/shop-gateway");
    story.api.change(&gateway, |gateway| {
        gateway["status"]["replicas"] = 2.into();
        gateway["status"]["updatedReplicas"] = 1.into();
        gateway["status"]["availableReplicas"] = 1.into();
    });
    story.reconcile().await.unwrap();
    let (holds, reason, message) = story.condition("Ready");
    assert_eq!((holds.as_str(), reason.as_str()), ("False", "WaitingForServices"), "{message}");
    assert!(message.contains("gateway"), "{message}");
    assert_eq!(story.condition("Available").0, "True");
}

/// Whoever starts while a store is away, however long, is at no fault: the time to become ready counts from when all of them answer.
#[tokio::test]
async fn the_deadline_of_an_upgrade_counts_only_while_every_store_answers() {
    let story = Story::open().await;
    let image = || {
        let product = story.api.get(&format!("{APPS}/deployments/shop-product")).unwrap();
        product["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    };
    story.api.change(STACK, |stack| stack["spec"]["version"] = "2.0.0".into());
    story.reconcile().await.unwrap();
    story.migrate();
    story.reconcile().await.unwrap();
    assert_eq!(image(), "ecommerce-stack/product:2.0.0");
    let rabbitmq = format!("{APPS}/statefulsets/shop-rabbitmq");
    let answers = |pods: i32| {
        story.api.change(&rabbitmq, |set| {
            set["status"]["readyReplicas"] = pods.into();
            set["status"]["availableReplicas"] = pods.into();
        });
    };
    story.api.change(&format!("{APPS}/deployments/shop-product"), miss_its_deadline);
    answers(0);
    for _ in 0..4 {
        story.reconcile().await.unwrap();
        assert_eq!(image(), "ecommerce-stack/product:2.0.0", "the broker is away");
        story.clock.advance(time::Duration::minutes(1));
    }
    answers(1);
    // At 08:04.
    let ready = json!({"type": "Ready", "status": "True", "lastTransitionTime": "2027-01-15T08:04:00Z"});
    let pod = json!({
        "metadata": {"name": "shop-rabbitmq-0", "labels": {"ecommercestack.dev/stack": "shop"}},
        "status": {"phase": "Running", "conditions": [ready]},
    });
    story.api.put(&format!("{CORE}/pods/shop-rabbitmq-0"), pod);
    for seconds in [90, 89, 1] {
        story.reconcile().await.unwrap();
        assert_eq!(image(), "ecommerce-stack/product:2.0.0", "the broker is back for less than three minutes");
        story.clock.advance(time::Duration::seconds(seconds));
    }
    story.reconcile().await.unwrap();
    assert_eq!(image(), "ecommerce-stack/product:1.0.0");
    assert_eq!(story.condition("Degraded").1, "UpgradeFailed");
}

/// A backup that is put back, an operator that did not keep it yet, an editor: one entry is gone, and the stack runs something else
/// than its spec asks for.
#[tokio::test]
async fn what_a_ledger_has_lost_is_taken_from_what_runs() {
    let story = Story::open().await;
    let image = |kind: &str, name: &str| {
        let object = story.api.get(&format!("{APPS}/{kind}/{name}")).unwrap();
        object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    };
    let (redis, product) = (image("statefulsets", "shop-redis"), image("deployments", "shop-product"));
    story.api.change(STACK, |stack| {
        stack["spec"]["version"] = "2.0.0".into();
        stack["spec"]["redis"] = json!({"embedded": {"image": "redis:8.0.4"}});
    });
    story.context().wave.enter(&Names::new("default", "another"), &now(&story.clock));
    story.reconcile().await.unwrap();
    story.change_ledger(|ledger| ledger.as_object_mut().unwrap().retain(|entry, _| entry == "pins"));
    story.reconcile().await.unwrap();
    assert_eq!(image("statefulsets", "shop-redis"), redis);
    assert_eq!(image("deployments", "shop-product"), product);
    let form = story.ledger().stores.remove("redis").unwrap();
    assert_eq!(form.before.and_then(|before| before.image), Some(redis), "there is something to go back to");
}

/// `kubectl create configmap` from what somebody has saved.
#[tokio::test]
async fn a_ledger_that_somebody_put_back_is_taken_up() {
    let story = Story::open().await;
    story.api.change(LEDGER, |map| {
        map["metadata"]["labels"] = json!({});
        map["metadata"]["resourceVersion"] = "another".into();
    });
    story.reconcile().await.unwrap();
    assert_eq!((story.condition("Ready").0, story.condition("Degraded").0), ("True".into(), "False".into()));
    assert_eq!(story.api.get(LEDGER).unwrap()["metadata"]["labels"]["ecommercestack.dev/stack"], "shop");
}

/// As if an operator of another release had made its pods.
fn was_made_otherwise(story: &Story, service: &str) {
    let deployment = format!("{APPS}/deployments/shop-{service}");
    story.api.change(&deployment, |object| {
        object["metadata"]["annotations"]["ecommercestack.dev/revision"] = "older".into();
    });
    let revisions = format!("{REVISIONS}shop-{service}-");
    let present = story.ledger().revisions[service].revision.clone();
    let mut older = story.api.get(&format!("{revisions}{present}")).unwrap();
    older["metadata"]["name"] = format!("shop-{service}-older").into();
    story.api.put(&format!("{revisions}older"), older);
    story.change_ledger(|ledger| ledger["revisions"][service]["revision"] = "older".into());
}

#[tokio::test]
async fn what_an_operator_makes_otherwise_rolls_in_one_stack_at_a_time() {
    let story = Story::open().await;
    let another = Names::new("default", "another");
    assert!(story.context().wave.enter(&another, &now(&story.clock)));
    was_made_otherwise(&story, "product");
    let shows = || story.ledger().revisions["product"].revision.clone();
    for _ in 0..2 {
        story.reconcile().await.unwrap();
        assert_eq!(shows(), "older");
        assert_eq!(story.condition("Available").0, "True");
        assert_eq!(story.condition("Ready").2, "waiting for product (for the pods of another stack)");
    }
    story.context().wave.leave(&another);
    story.reconcile().await.unwrap();
    assert_ne!(shows(), "older");
    assert!(!story.context().wave.enter(&another, &now(&story.clock)), "it is this one's turn");
    story.serve();
    story.reconcile().await.unwrap();
    assert!(story.context().wave.enter(&another, &now(&story.clock)));
}

/// It asks for the same for ever, and nothing of the stack restarts.
#[tokio::test]
async fn what_an_operator_makes_otherwise_and_does_not_come_up_keeps_no_other_stack_waiting() {
    let story = Story::open().await;
    let another = Names::new("default", "another");
    was_made_otherwise(&story, "product");
    story.reconcile().await.unwrap();
    assert!(!story.context().wave.enter(&another, &now(&story.clock)), "it is this one's turn");
    story.api.change(&format!("{APPS}/deployments/shop-product"), miss_its_deadline);
    for _ in 0..3 {
        story.reconcile().await.unwrap();
        story.serve();
    }
    assert_eq!(
        (story.ledger().revisions["product"].revision.as_str(), story.condition("Ready").1.as_str()),
        ("older", "UpgradeFailed")
    );
    for _ in 0..2 {
        assert!(story.context().wave.enter(&another, &now(&story.clock)));
        story.context().wave.leave(&another);
        story.reconcile().await.unwrap();
    }
}

#[tokio::test]
async fn what_a_person_asks_for_waits_for_no_other_stack() {
    let story = Story::open().await;
    assert!(story.context().wave.enter(&Names::new("default", "another"), &now(&story.clock)));
    story.upgrade(|spec| spec["version"] = "2.0.0".into()).await;
    assert_eq!(story.condition("Ready").0, "True");
    let gateway = story.api.get(&format!("{APPS}/deployments/shop-gateway")).unwrap();
    assert_eq!(gateway["spec"]["template"]["spec"]["containers"][0]["image"], "ecommerce-stack/gateway:2.0.0");
}
