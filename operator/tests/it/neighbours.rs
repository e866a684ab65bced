//! One stack that the operator can not work with, beside one that is well: neither the process ends nor the other waits.

use std::time::Duration;

use ecommerce_testing::within;
use k8s_openapi::api::core::v1::Service;
use serde_json::json;

use crate::running::Operator;
use crate::walk::Walk;
use crate::way::Way;

/// The machine may have other work.
const SOON: Duration = Duration::from_mins(2);

/// Comes up and is repaired, as if nobody stood beside it.
async fn is_well(walk: &Walk) {
    within(SOON, "the stack is ready", || async {
        walk.play().await;
        walk.is_ready().await.then_some(())
    })
    .await;
    walk.delete::<Service>("shop-redis").await;
    within(SOON, "what was taken away is back", || async {
        walk.api::<Service>().get_opt("shop-redis").await.unwrap()
    })
    .await;
}

async fn says(walk: &Walk, reason: &str) -> String {
    within(SOON, reason, || async {
        let stack = walk.untyped().get("beside").await.unwrap();
        let conditions = stack.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let degraded = conditions.into_iter().find(|one| one["type"] == "Degraded" && one["status"] == "True")?;
        (degraded["reason"] == reason).then(|| degraded["message"].as_str().unwrap().to_owned())
    })
    .await
}

/// The definition is a newer operator's, which was taken back.
#[tokio::test]
async fn a_stack_that_does_not_read_has_its_condition_and_stops_no_other() {
    let walk = Walk::begin(json!({})).await;
    walk.create_stack("beside", json!({})).await;
    let way = Way::to(walk.client.clone(), &walk.namespace);
    way.read_as("beside", Some(json!({"services": {"order": {"replicas": {"from": 1, "to": 3}}}})));
    let operator = Operator::over(way, &walk, |_| {});
    is_well(&walk).await;
    let message = says(&walk, "Invalid").await;
    assert!(message.starts_with("this operator does not read the stack ("), "{message}");
    assert!(message.contains("mend that field"), "{message}");

    assert!(walk.api::<Service>().get_opt("beside-redis").await.unwrap().is_none());
    operator.way.read_as("beside", None);
    within(SOON, "it begins once it reads", || async { walk.api::<Service>().get_opt("beside-redis").await.unwrap() })
        .await;
    operator.stop().await;
}

#[tokio::test]
async fn a_panic_at_one_stack_is_its_condition_and_stops_neither_the_process_nor_another_stack() {
    let walk = Walk::begin(json!({})).await;
    walk.create_stack("beside", json!({})).await;
    let way = Way::to(walk.client.clone(), &walk.namespace);
    way.panic_at("ecommercestack.dev%2Fstack%3Dbeside");
    let operator = Operator::over(way, &walk, |_| {});
    is_well(&walk).await;
    let message = says(&walk, "ReconcileFailed").await;
    assert!(message.starts_with("the operator fails at this stack: a fault of ours at "), "{message}");
    assert!(message.contains("please report it; the operator tries again"), "{message}");
    operator.stop().await;
}

/// It panics also while it is told of: then nothing can be said of it, and nothing else suffers.
#[tokio::test]
async fn a_panic_wherever_a_stack_is_read_stops_neither_the_process_nor_another_stack() {
    let walk = Walk::begin(json!({})).await;
    walk.create_stack("beside", json!({})).await;
    let way = Way::to(walk.client.clone(), &walk.namespace);
    way.panic_at("/ecommercestacks/beside");
    let operator = Operator::over(way, &walk, |_| {});
    is_well(&walk).await;
    operator.stop().await;
}
