//! A stack that becomes Ready against a real API server, and what is left alone from then on.

use std::sync::Arc;

use ecommerce_types::Clock;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use operator::crd::EcommerceStack;
use operator::reconcile::Context;
use serde_json::{Value, json};

use crate::walk::{Walk, patient};

#[tokio::test]
async fn an_empty_spec_becomes_a_ready_stack() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    assert_eq!(
        walk.condition("Ready").await,
        ("True".to_owned(), "the shop is open, on the payment simulator: no real money moves".to_owned())
    );
    for condition in ["BackendsReady", "Migrated", "ServicesReady"] {
        assert_eq!(walk.condition(condition).await.0, "True", "{condition}");
    }
    assert_eq!(walk.condition("Degraded").await.0, "False");
    let stack = walk.stack().await;
    let status = stack.status.unwrap();
    assert_eq!(status.observed_generation, stack.metadata.generation);
    assert_eq!(status.version.as_deref(), Some("1.0.0"));
    assert_eq!(status.endpoint, Some(format!("http://shop-gateway.{}.svc:8080", walk.namespace)));
    assert_eq!(walk.names::<Deployment>().await.len(), 5);
    assert_eq!(walk.names::<Service>().await.len(), 8);
}

#[tokio::test]
async fn a_second_operator_process_changes_no_version_of_anything() {
    let walk = Walk::begin(json!({"gateway": {"service": {"type": "NodePort"}}})).await;
    walk.to_ready().await;
    let before = walk.versions().await;
    let other = Walk { context: Arc::new(Context::new(walk.client.clone(), patient(), Clock::system())), ..walk };
    other.reconcile().await;
    assert_eq!(other.versions().await, before);
}

#[tokio::test]
async fn whoever_scales_a_service_that_the_spec_does_not_is_left_alone_until_it_does() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    let scale = |replicas: i32| Patch::Merge(json!({"spec": {"replicas": replicas}}));
    let deployments = walk.api::<Deployment>();
    let replicas = async || deployments.get("shop-order").await.unwrap().spec.unwrap().replicas;
    deployments.patch_scale("shop-order", &PatchParams::default(), &scale(5)).await.unwrap();
    for _ in 0..2 {
        walk.reconcile().await;
        assert_eq!(replicas().await, Some(5));
    }
    let say = |services: Value| Patch::Merge(json!({"spec": {"services": services}}));
    let stacks = walk.api::<EcommerceStack>();
    stacks.patch("shop", &PatchParams::default(), &say(json!({"order": {"replicas": 3}}))).await.unwrap();
    walk.reconcile().await;
    assert_eq!(replicas().await, Some(3));
    stacks.patch("shop", &PatchParams::default(), &say(Value::Null)).await.unwrap();
    walk.reconcile().await;
    assert_eq!(replicas().await, Some(1), "what the spec had said goes with it");
}

/// Under `Delete` too, where owners are written into the Secret: neither what was made nor what was put beside it is ours to change.
#[tokio::test]
async fn keys_that_a_person_puts_beside_the_generated_ones_stay() {
    let walk = Walk::begin(json!({})).await;
    walk.reconcile().await;
    let made = walk.api::<Secret>().get("shop-signing-key").await.unwrap().data.unwrap();
    assert_eq!(made.keys().collect::<Vec<_>>(), ["present.pem", "refresh-keys"]);

    let refresh_keys = String::from_utf8(made["refresh-keys"].0.clone()).unwrap();
    assert_eq!(refresh_keys.len(), 43);
    let by_hand = json!({"stringData": {
        "next.pem": "next", "previous.pem": "previous", "refresh-keys": format!("{}\n{refresh_keys}\n", "n".repeat(43)),
    }});
    let by_hand = Patch::Merge(by_hand);
    walk.api::<Secret>().patch("shop-signing-key", &PatchParams::default(), &by_hand).await.unwrap();
    let before = walk.api::<Secret>().get("shop-signing-key").await.unwrap().data.unwrap();
    assert_eq!(before.len(), 4);

    let delete = Patch::Merge(json!({"spec": {"deletionPolicy": "Delete"}}));
    walk.api::<EcommerceStack>().patch("shop", &PatchParams::default(), &delete).await.unwrap();
    let other = Walk { context: Arc::new(Context::new(walk.client.clone(), patient(), Clock::system())), ..walk };
    other.reconcile().await;
    let after = other.api::<Secret>().get("shop-signing-key").await.unwrap();
    assert_eq!(after.owner_references().len(), 1);
    assert_eq!(after.data.unwrap(), before);
}
