//! Stories of whole reconciles: what is made, put back, refused and said.

use time::Duration;

use serde_json::{Value, json};

use crate::story::{APPS, CORE, LEDGER, STACK, Story};

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
            "shop-gateway-edge-keys",
            "shop-order-api-key-hashes",
            "shop-order-api-keys",
            "shop-order-edge-keys",
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
async fn a_paused_stack_is_left_alone() {
    let story = Story::of(&json!({"paused": true}));
    story.reconcile().await.unwrap();
    assert!(story.api.below(&format!("{APPS}/")).is_empty());
    assert!(story.api.below(&format!("{CORE}/secrets/")).is_empty());
    assert_eq!(story.condition("Ready").1, "Paused");
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
async fn a_secret_that_may_not_be_made_holds_what_needs_it_and_is_made_when_it_may() {
    let story = Story::of(&json!({}));
    let redis = format!("{CORE}/secrets/shop-redis");
    story.api.refuse(&redis);
    story.api.refuse(&format!("{CORE}/secrets"));
    let error = story.reconcile().await.unwrap_err();
    assert!(error.to_string().contains("refuses to make the Secret"), "{error}");
    assert!(story.api.below(&format!("{APPS}/statefulsets/")).is_empty());
    assert!(!story.ledger().credentials.contains_key("shop-redis"), "what was never made is not lost");
    assert_eq!(story.condition("Degraded").1, "Refused");
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
    for path in [
        "configmaps/shop-postgres-config",
        "secrets/shop-redis-config",
        "secrets/shop-order-api-key-hashes",
        "secrets/shop-order-edge-keys",
    ] {
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
async fn another_filter_of_the_log_is_written_and_nothing_rolls() {
    let story = Story::migrated().await;
    story.serve();
    story.reconcile().await.unwrap();
    story.writes();
    story.api.change(STACK, |stack| stack["spec"]["log"] = json!({"filter": "info,order=debug"}));
    story.reconcile().await.unwrap();
    let writes = story.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(story.api.get(&format!("{CORE}/configmaps/shop-log")).unwrap()["data"]["filter"], "info,order=debug");
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

#[tokio::test]
async fn what_a_spec_switches_off_goes_and_what_is_somebody_elses_stays() {
    const NETWORKING: &str = "/apis/networking.k8s.io/v1/namespaces/default";
    const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets/";
    let story = Story::of(
        &json!({"services": {"order": {"replicas": 2}}, "gateway": {"ingress": {"host": "shop.example.com"}}}),
    );
    let of_another = json!({"metadata": {"name": "theirs", "labels": {"ecommercestack.dev/stack": "another"}}});
    story.api.put(&format!("{NETWORKING}/ingresses/theirs"), of_another);
    story.reconcile().await.unwrap();
    let there = |story: &Story| {
        let policies = story.api.below(&format!("{NETWORKING}/networkpolicies/")).len();
        (story.api.below(BUDGETS), policies, story.api.below(&format!("{NETWORKING}/ingresses/")))
    };
    let both = vec!["shop-gateway".to_owned(), "theirs".to_owned()];
    assert_eq!(there(&story), (vec!["shop-order".to_owned()], 8, both.clone()));
    assert_eq!(story.stack().status.unwrap().endpoint.unwrap(), "http://shop.example.com");

    story.api.change(STACK, |stack| stack["spec"] = json!({"networkPolicies": false}));
    story.reconcile().await.unwrap();
    assert_eq!(there(&story), (vec![], 0, vec!["theirs".to_owned()]));

    story.api.change(STACK, |stack| {
        stack["spec"] =
            json!({"services": {"order": {"replicas": 2}}, "gateway": {"ingress": {"host": "shop.example.com"}}});
    });
    story.reconcile().await.unwrap();
    assert_eq!(there(&story), (vec!["shop-order".to_owned()], 8, both));
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
