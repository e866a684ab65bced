//! Stories of pods that are not as they should be.

use serde_json::{Value, json};
use time::Duration;

use crate::story::{APPS, Story};

#[tokio::test]
async fn a_service_that_somebody_left_without_pods_gets_one_and_is_not_called_ready_before() {
    let story = Story::migrated().await;
    story.serve();
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Ready").0, "True");
    let order = format!("{APPS}/deployments/shop-order");
    story.api.change(&order, |order| order["spec"]["replicas"] = 0.into());
    story.serve();
    story.reconcile().await.unwrap();
    assert_eq!(story.api.get(&order).unwrap()["spec"]["replicas"], 1);
    assert_eq!(story.condition("Ready").0, "False");
    story.serve();
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Ready").0, "True");
}

#[tokio::test]
async fn the_broken_pod_of_a_store_goes_where_a_mended_one_waits_for_its_place() {
    const POD: &str = "/api/v1/namespaces/default/pods/shop-postgres-0";
    let story = Story::migrated().await;
    story.serve();
    let broken = json!({
        "metadata": {
            "name": "shop-postgres-0", "uid": "pod-1",
            "labels": {"controller-revision-hash": "1", "ecommercestack.dev/stack": "shop"},
        },
        "status": {"phase": "Pending", "containerStatuses": [{
            "name": "postgres", "image": "postgres:17.typo", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff"}},
        }]},
    });
    story.api.put(POD, broken);
    let set = format!("{APPS}/statefulsets/shop-postgres");
    story.api.change(&set, |set| set["status"]["updateRevision"] = "1".into());
    story.reconcile().await.unwrap();
    assert!(story.api.get(POD).is_some(), "nothing waits for its place");
    story.api.change(&set, |set| set["status"]["updateRevision"] = "2".into());
    story.reconcile().await.unwrap();
    assert!(story.api.get(POD).is_none());
}

#[tokio::test]
async fn trouble_with_pods_is_over_after_three_good_looks() {
    const POD: &str = "/api/v1/namespaces/default/pods/shop-order-1";
    let story = Story::migrated().await;
    for _ in 0..4 {
        story.serve();
        story.reconcile().await.unwrap();
    }
    assert_eq!(story.condition("Degraded").0, "False");
    let pod = |state: Value| {
        json!({
            "metadata": {"name": "shop-order-1", "labels": {"ecommercestack.dev/stack": "shop"}},
            "status": {"phase": "Running", "containerStatuses": [{
                "name": "order", "image": "x", "imageID": "x", "ready": false, "restartCount": 3, "state": state,
            }]},
        })
    };
    story.api.put(POD, pod(json!({"waiting": {"reason": "CrashLoopBackOff"}})));
    story.reconcile().await.unwrap();
    let told = story.condition("Degraded");
    assert_eq!((told.0.as_str(), told.1.as_str()), ("True", "PodsInTrouble"));
    story.api.put(POD, pod(json!({"running": {}})));
    for _ in 0..3 {
        story.reconcile().await.unwrap();
        assert_eq!(story.condition("Degraded"), told, "it runs for a few seconds each time");
        story.clock.advance(Duration::seconds(10));
    }
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");

    story.api.put(POD, pod(json!({"waiting": {"reason": "CrashLoopBackOff"}})));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").1, "PodsInTrouble");
    story.api.remove(POD);
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False", "what is gone is in no trouble");
}

/// Another number of connections restarts the database under the load that the pods were for.
#[tokio::test]
async fn a_database_that_has_room_for_many_pods_keeps_it() {
    let story = Story::open().await;
    let database = || story.api.get(&format!("{APPS}/statefulsets/shop-postgres")).unwrap()["spec"]["template"].clone();
    let pods = |pods: i64| move |spec: &mut serde_json::Value| spec["services"] = json!({"order": {"replicas": pods}});
    let small = database();
    story.upgrade(pods(12)).await;
    let large = database();
    assert_ne!(large, small);
    story.upgrade(pods(1)).await;
    assert_eq!(database(), large);
    story.api.remove("/api/v1/namespaces/default/configmaps/shop-ledger");
    story.reconcile().await.unwrap();
    assert_eq!(database(), large);
}
