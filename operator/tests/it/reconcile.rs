//! Stories of whole reconciles: what is made, put back, refused and said.

use serde_json::json;

use crate::story::{APPS, CORE, STACK, Story};

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
    story.change_settings(|settings| settings.reconcile_limit_seconds = 2);
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

/// `kubectl wait` comes right after the change: what the stores and services were before says nothing of it.
#[tokio::test]
async fn what_a_look_has_changed_is_not_ready_in_it() {
    for spec in [
        json!({"services": {"order": {"replicas": 3}}}),
        json!({"redis": {"embedded": {"image": "docker.io/library/redis:8.0.4"}}}),
        json!({"rabbitmq": {"embedded": {"resources": {"limits": {"memory": "1Gi"}}}}}),
    ] {
        let story = Story::open().await;
        story.api.change(STACK, |stack| stack["spec"] = spec.clone());
        story.reconcile().await.unwrap();
        assert_eq!(story.condition("Ready").0, "False", "{spec}");
        story.serve();
        story.reconcile().await.unwrap();
        assert_eq!(story.condition("Ready").0, "True", "{spec}");
    }
}

#[tokio::test]
async fn a_stack_at_which_nobody_can_look_is_not_called_ready_for_long() {
    let story = Story::open().await;
    story.change_settings(|settings| settings.reconcile_limit_seconds = 1);
    story.api.keep_silent(Some(&format!("{APPS}/statefulsets")));
    story.reconcile().await.unwrap_err();
    assert_eq!(story.condition("Ready").0, "True", "once is chance");
    story.reconcile().await.unwrap_err();
    let (ready, reason, message) = story.condition("Ready");
    assert_eq!((ready.as_str(), reason.as_str()), ("False", "ReconcileFailed"));
    assert!(message.starts_with("a look at the stack took longer"), "{message}");
    assert_eq!(story.condition("Available").0, "Unknown");
    story.api.keep_silent(None);
    story.reconcile().await.unwrap();
    assert_eq!((story.condition("Ready").0, story.condition("Available").0), ("True".into(), "True".into()));
}
