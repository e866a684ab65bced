//! Stories of what is not taken: by the API server, and by whoever has the name already.

use serde_json::json;

use crate::story::{APPS, CORE, STACK, Story};

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
async fn a_removal_that_is_refused_is_said_and_stops_nothing_else() {
    const INGRESS: &str = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/shop-gateway";
    let story = Story::of(&json!({"gateway": {"ingress": {"host": "shop.example.com"}}}));
    story.reconcile().await.unwrap();
    story.api.refuse(INGRESS);
    story.api.change(STACK, |stack| stack["spec"] = json!({"services": {"gateway": {"replicas": 2}}}));
    let error = story.reconcile().await.unwrap_err();
    assert_eq!(error.to_string(), "the API server refuses to remove shop-gateway: someone says no");
    assert_eq!(story.condition("Degraded").1, "Refused");
    assert_eq!(story.api.get(&format!("{APPS}/deployments/shop-gateway")).unwrap()["spec"]["replicas"], 2);
    story.api.refuse_nothing();
    story.reconcile().await.unwrap();
    assert_eq!((story.api.get(INGRESS), story.condition("Degraded").0.as_str()), (None, "False"));
}
