//! Stories of volumes: how they grow, whom they go with, and whose they are.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use operator::crd::EcommerceStack;
use serde_json::json;

use crate::story::{APPS, CORE, LEDGER, STACK, Story};
use crate::walk::Walk;

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
async fn whom_volumes_and_secrets_go_with_is_said_also_while_paused() {
    let story = Story::migrated().await;
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    let secret = format!("{CORE}/secrets/shop-postgres");
    let owners =
        |path: &str| story.api.get(path).unwrap()["metadata"]["ownerReferences"].as_array().map_or(0, Vec::len);
    story.api.change(STACK, |stack| stack["spec"] = json!({"deletionPolicy": "Delete"}));
    story.reconcile().await.unwrap();
    assert_eq!((owners(&claim), owners(&secret)), (1, 1));
    story.api.change(STACK, |stack| stack["spec"] = json!({"deletionPolicy": "Retain", "paused": true}));
    story.writes();
    story.reconcile().await.unwrap();
    assert_eq!(owners(&claim), 0);
    let writes = story.writes();
    for path in [&secret, LEDGER] {
        assert!(writes.contains(&format!("PATCH {path}")), "{writes:?}");
    }
    assert!(!writes.iter().any(|write| write.contains(APPS)), "{writes:?}");
}

#[tokio::test]
async fn a_volume_that_is_somebody_elses_is_left_alone_and_the_rest_goes_on() {
    let story = Story::of(&json!({"deletionPolicy": "Delete"}));
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    let theirs = json!({
        "metadata": {"name": "data-shop-postgres-0", "uid": "theirs", "labels": {"app": "another"}},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}},
    });
    story.api.put(&claim, theirs);
    let before = story.api.get(&claim).unwrap();
    for _ in 0..2 {
        story.reconcile().await.unwrap();
        assert_eq!(story.api.get(&claim).unwrap(), before);
    }
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "NameTaken"));
    assert!(message.contains("label it ecommercestack.dev/stack=shop"), "{message}");
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")), ["shop-rabbitmq", "shop-redis"]);
    story.api.change(&claim, |claim| claim["metadata"]["labels"]["ecommercestack.dev/stack"] = "shop".into());
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Degraded").0, "False");
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")).len(), 3);
}

#[tokio::test]
async fn a_volume_that_is_asked_to_shrink_says_that_it_can_not_and_how_large_it_stays() {
    let story = Story::open().await;
    let say = async |size: &str| {
        story.api.change(STACK, |stack| stack["spec"]["postgres"]["embedded"]["storage"] = json!({"size": size}));
        story.reconcile().await.unwrap();
        story.serve();
        story.reconcile().await.unwrap();
    };
    say("10Gi").await;
    assert_eq!(story.condition("BackendsReady").1, "BackendsReady");
    story.writes();
    say("1Gi").await;
    assert!(!story.writes().iter().any(|write| write.contains("persistentvolumeclaims")), "none is asked to");
    let stays = "the volume of postgres stays at 10Gi, for a volume can not shrink: say 10Gi in \
                 spec.postgres.embedded.storage.size, which asks for 1Gi, or take the size out";
    let (ready, _, message) = story.condition("Ready");
    assert_eq!(message, format!("the shop is open, on the payment simulator: no real money moves; {stays}"));
    assert_eq!((ready.as_str(), story.condition("Degraded").0.as_str()), ("True", "False"));
    let (_, reason, message) = story.condition("BackendsReady");
    assert_eq!(
        (reason.as_str(), message),
        ("VolumeNotShrunk", format!("postgres, rabbitmq and redis are ready; {stays}"))
    );
    assert_eq!(story.notes("VolumeNotShrunk").len(), 1);
    assert_eq!(story.stack().status.unwrap().stores[0].volume.as_deref(), Some("10Gi"));

    story.reconcile().await.unwrap();
    assert_eq!(story.notes("VolumeNotShrunk").len(), 1, "it is told once");
    story.api.change(STACK, |stack| stack["spec"] = json!({}));
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("BackendsReady").1, "BackendsReady", "nobody asks for another size");
}

/// The class does not grow: the claim is as it was, so the size of before is one that it has.
#[tokio::test]
async fn a_growth_that_was_refused_is_taken_back_without_a_word() {
    let story = Story::open().await;
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    story.api.refuse(&claim);
    story.api.change(STACK, |stack| stack["spec"]["postgres"]["embedded"]["storage"] = json!({"size": "10Gi"}));
    story.reconcile().await.unwrap_err();
    assert_eq!((story.condition("Degraded").1, story.condition("Ready").0), ("VolumeRefused".into(), "False".into()));
    story.writes();
    story.api.change(STACK, |stack| stack["spec"]["postgres"]["embedded"]["storage"] = json!({"size": "5Gi"}));
    story.api.refuse_nothing();
    story.reconcile().await.unwrap();
    story.serve();
    story.reconcile().await.unwrap();
    assert!(!story.writes().iter().any(|write| write.ends_with("data-shop-postgres-0")), "nothing is asked of it");
    assert_eq!(
        (story.condition("BackendsReady").1, story.condition("Ready").1),
        ("BackendsReady".into(), "Ready".into())
    );
}

/// The class grows and the driver does not: the API server has taken the size, and Kubernetes takes it back.
#[tokio::test]
async fn a_growth_that_comes_to_nothing_is_said_and_can_be_taken_back() {
    let story = Story::open().await;
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    let asks = || story.api.get(&claim).unwrap()["spec"]["resources"]["requests"]["storage"].clone();
    let say = async |size: &str| {
        story.api.change(STACK, |stack| stack["spec"]["postgres"]["embedded"]["storage"] = json!({"size": size}));
        let _ = story.reconcile().await;
        story.serve();
        story.reconcile().await
    };
    let condition = json!({"type": "ControllerResizeError", "status": "True", "message": "quota of disks exceeded"});
    story.api.change(&claim, |claim| {
        claim["status"] = json!({"capacity": {"storage": "5Gi"}, "conditions": [condition]});
    });
    say("10Gi").await.unwrap_err();
    assert_eq!(asks(), "10Gi");
    assert_eq!(story.stack().status.unwrap().stores[0].volume.as_deref(), Some("5Gi"), "what it has");
    let (degraded, reason, message) = story.condition("Degraded");
    assert_eq!((degraded.as_str(), reason.as_str()), ("True", "VolumeRefused"));
    assert!(message.contains("does not grow to 10Gi: quota of disks exceeded"), "{message}");
    assert_eq!((story.condition("Ready").0, story.condition("Available").0), ("False".into(), "True".into()));

    say("1Gi").await.unwrap();
    assert_eq!(asks(), "5Gi", "what it has is the least that it may ask for");
    assert_eq!(story.condition("Degraded").0, "False");
}

/// A person has made it larger than what is asked for: that is theirs.
#[tokio::test]
async fn a_volume_that_is_larger_than_its_claim_asks_for_is_left_alone() {
    let story = Story::open().await;
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    story.api.change(&claim, |claim| claim["status"] = json!({"capacity": {"storage": "100Gi"}}));
    story.writes();
    story.reconcile().await.unwrap();
    assert_eq!(story.writes(), [""; 0]);
}

/// Kubernetes keeps the claim while the pod is there, and takes the data with the pod.
#[tokio::test]
async fn a_claim_that_is_being_deleted_is_said_while_its_data_can_still_be_saved() {
    let story = Story::open().await;
    story.say_of_postgres("7301 17");
    story.reconcile().await.unwrap();
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    story.api.change(&claim, |claim| claim["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z".into());
    let provisioned_from = story.ledger().provisioned_from;
    story.api.change(STACK, |stack| {
        stack["spec"]["postgres"] = json!({"embedded": {"resources": {"limits": {"memory": "1Gi"}}}});
    });
    story.writes();
    story.reconcile().await.unwrap();
    let set = format!("{APPS}/statefulsets/shop-postgres");
    assert!(!story.writes().iter().any(|write| write.ends_with(&set)), "a roll would end the pod");
    let (ready, reason, message) = story.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "VolumeGoing"));
    assert!(message.contains("data-shop-postgres-0 is being deleted") && message.contains("backup now"), "{message}");
    assert_eq!(story.condition("Available").0, "True");
    assert_eq!(story.ledger().provisioned_from, provisioned_from);

    // The version of the services may go on meanwhile.
    story.upgrade(|spec| spec["version"] = "1.1.0".into()).await;
    assert_eq!(story.condition("Migrated").1, "Migrated");
}

/// Deleted with its data, and made again at once: its volume goes with the pod, and is no server of the new one.
#[tokio::test]
async fn a_claim_that_goes_with_a_former_stack_is_waited_for() {
    let story = Story::of(&json!({"deletionPolicy": "Delete"}));
    story.give_volume();
    story.say_of_postgres("7301 17");
    let former = json!({
        "apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack", "name": "shop", "uid": "former",
    });
    let claim = format!("{CORE}/persistentvolumeclaims/data-shop-postgres-0");
    story.api.change(&claim, |claim| {
        claim["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z".into();
        claim["metadata"]["ownerReferences"] = json!([former]);
    });
    story.reconcile().await.unwrap();
    assert_eq!(story.condition("Ready").1, "FormerStackGoing");
    assert_eq!(story.api.get(LEDGER), None, "a server that goes is not the new one's");
    story.api.remove(&claim);
    story.api.remove(&format!("{CORE}/pods/shop-postgres-0"));
    story.reconcile().await.unwrap();
    assert_eq!(story.ledger().postgres, None);
    assert_eq!(story.api.below(&format!("{APPS}/statefulsets/")).len(), 3);
}
