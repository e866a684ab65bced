//! Stories of what a store is made from: it is asked to be only what it can be, and is again what it was where that did not start.

use operator::names::Names;
use operator::reconcile::status::now;
use serde_json::{Value, json};

use crate::story::{APPS, CORE, LEDGER, STACK, Story};

const REDIS: &str = "/apis/apps/v1/namespaces/default/statefulsets/shop-redis";
const POD: &str = "/api/v1/namespaces/default/pods/shop-redis-0";
const NOWHERE: &str = "docker.io/library/redis:8.0.33";

fn image(story: &Story) -> Value {
    story.api.get(REDIS).unwrap()["spec"]["template"]["spec"]["containers"][0]["image"].clone()
}

fn memory(story: &Story) -> Value {
    let limits = &story.api.get(REDIS).unwrap()["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"];
    limits["memory"].clone()
}

/// The old pod is gone and the one of this revision waits for this.
fn pod_waits(story: &Story, revision: &str, reason: &str) {
    story.api.change(REDIS, |set| {
        set["status"] = json!({
            "observedGeneration": set["metadata"]["generation"], "replicas": 1, "readyReplicas": 0,
            "currentRevision": "1", "updateRevision": revision,
        });
    });
    let container = json!({
        "name": "redis", "image": NOWHERE, "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": reason}},
    });
    let labels = json!({"ecommercestack.dev/stack": "shop", "controller-revision-hash": revision});
    let metadata = json!({"name": "shop-redis-0", "uid": "pod", "labels": labels});
    story.api.put(POD, json!({"metadata": metadata, "status": {"phase": "Pending", "containerStatuses": [container]}}));
}

#[tokio::test]
async fn a_store_whose_image_is_nowhere_is_again_what_it_was_until_another_is_named() {
    let story = Story::open().await;
    let served = image(&story);
    story.api.change(STACK, |stack| stack["spec"]["redis"] = json!({"embedded": {"image": NOWHERE}}));
    story.reconcile().await.unwrap();
    assert_eq!(image(&story), NOWHERE);
    pod_waits(&story, "2", "ErrImagePull");
    story.reconcile().await.unwrap();
    assert_eq!(image(&story), NOWHERE, "once may be a registry that was busy");
    pod_waits(&story, "2", "ImagePullBackOff");
    story.reconcile().await.unwrap();
    assert_eq!(image(&story), served);
    let (ready, reason, message) = story.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "UpgradeFailed"));
    assert!(message.contains(&format!("redis did not come up with {NOWHERE}")), "{message}");
    assert!(message.contains("mend spec.redis.embedded, or annotate"), "{message}");

    story.api.remove(POD);
    story.serve();
    for _ in 0..2 {
        story.reconcile().await.unwrap();
        assert_eq!((image(&story), story.condition("Available").0), (served.clone(), "True".to_owned()));
    }
    story
        .api
        .change(STACK, |stack| stack["spec"]["redis"]["embedded"]["image"] = "docker.io/library/redis:8.0.4".into());
    story.reconcile().await.unwrap();
    assert_eq!(image(&story), "docker.io/library/redis:8.0.4");
    story.serve();
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Ready").0, "True");
}

#[tokio::test]
async fn a_quota_that_leaves_no_room_for_a_larger_store_gives_back_the_smaller_one() {
    let story = Story::open().await;
    let served = memory(&story);
    story.api.change(STACK, |stack| {
        stack["spec"]["redis"] = json!({"embedded": {"resources": {"limits": {"memory": "4Gi"}}}});
    });
    story.reconcile().await.unwrap();
    assert_eq!(memory(&story), "4Gi");
    let none = |set: &mut Value| {
        set["status"] = json!({"observedGeneration": set["metadata"]["generation"], "replicas": 0});
    };
    story.api.change(REDIS, none);
    let said = |at: &str| {
        json!({
            "metadata": {"name": "one"}, "involvedObject": {"kind": "StatefulSet", "name": "shop-redis"},
            "type": "Warning", "reason": "FailedCreate", "lastTimestamp": at, "message": "exceeded quota: team",
        })
    };
    let event = format!("{CORE}/events/one");
    story.api.put(&event, said("2027-01-15T07:59:00Z"));
    story.reconcile().await.unwrap();
    assert_eq!(memory(&story), "4Gi", "that was said before it was asked for");
    story.api.put(&event, said("2027-01-15T08:00:01Z"));
    story.reconcile().await.unwrap();
    assert_eq!(memory(&story), served);
    let (_, reason, message) = story.condition("Degraded");
    assert_eq!(reason, "UpgradeFailed");
    assert!(message.contains("redis did not come up (no pod of shop-redis can be made: exceeded quota"), "{message}");
}

#[tokio::test]
async fn a_store_that_can_not_be_as_asked_for_comes_back_as_it_was() {
    let story = Story::open().await;
    let served = memory(&story);
    let resources = json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}});
    story.api.change(STACK, |stack| stack["spec"]["redis"] = json!({"embedded": {"resources": resources}}));
    for is_ledger_there in [true, false] {
        story.reconcile().await.unwrap();
        story.api.remove(REDIS);
        story.reconcile().await.unwrap();
        assert_eq!(memory(&story), served, "the ledger was there: {is_ledger_there}");
        assert_eq!(story.condition("Degraded").1, "RequestAboveLimit");
        story.serve();
        story.api.remove(LEDGER);
    }
}

/// What the pods were told stands in the configuration, which is there.
#[tokio::test]
async fn a_store_whose_secret_is_lost_comes_back_with_the_configuration_that_is_there() {
    let story = Story::open().await;
    let claim = json!({
        "metadata": {"name": "data-shop-redis-0", "uid": "claim-2", "labels": {"ecommercestack.dev/stack": "shop"}},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}},
    });
    story.api.put(&format!("{CORE}/persistentvolumeclaims/data-shop-redis-0"), claim);
    let configuration = format!("{CORE}/secrets/shop-redis-config");
    let before = story.api.get(&configuration);
    story.api.remove(&format!("{CORE}/secrets/shop-redis"));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "CredentialsLost");
    story.api.remove(REDIS);
    story.reconcile().await.unwrap();
    assert!(story.api.get(REDIS).is_some());
    assert_eq!(story.api.get(&configuration), before);
}

#[tokio::test]
async fn stores_of_one_stack_restart_after_those_of_another() {
    let story = Story::open().await;
    let another = Names::new("default", "another");
    assert!(story.context().wave.enter(&another, &now(&story.clock)));
    let served = memory(&story);
    story.api.change(STACK, |stack| {
        stack["spec"]["redis"] = json!({"embedded": {"resources": {"limits": {"memory": "1Gi"}}}});
    });
    for _ in 0..2 {
        story.reconcile().await.unwrap();
        assert_eq!((memory(&story), story.condition("Available").0), (served.clone(), "True".to_owned()));
        let (ready, reason, message) = story.condition("Ready");
        assert_eq!((ready.as_str(), reason.as_str()), ("False", "WaitingForBackends"));
        assert_eq!(message, "redis will restart, after the pods of another stack have");
    }
    // One that does not serve has nothing to lose.
    story.api.remove(&format!("{APPS}/statefulsets/shop-rabbitmq"));
    story.reconcile().await.unwrap();
    assert!(story.api.get(&format!("{APPS}/statefulsets/shop-rabbitmq")).is_some());
    story.serve();

    story.context().wave.leave(&another);
    story.reconcile().await.unwrap();
    assert_eq!(memory(&story), "1Gi");
    assert!(!story.context().wave.enter(&another, &now(&story.clock)), "it is this one's turn");
    story.serve();
    story.reconcile().await.unwrap();
    assert!(story.context().wave.enter(&another, &now(&story.clock)));
}
