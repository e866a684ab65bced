//! Watches that end while a stack is changed, and watches that say nothing any more.

use std::time::{Duration, Instant};

use ecommerce_testing::{figure, scale, within};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PropagationPolicy};
use operator::crd::EcommerceStack;
use operator::kinds::{KINDS, Wakes, Write};
use serde_json::json;

use crate::running::Operator;
use crate::walk::Walk;
use crate::way::Gone;

/// A watch that fails is opened again with a pause that grows from 0.8 s; the machine may have other work.
const SOON: Duration = Duration::from_secs(30);
/// Longer than any of these tests: what is taken is taken by a watch.
const SELDOM: u64 = 3600;
const START: Duration = Duration::from_mins(1);

async fn all_watches_are_open(operator: &Operator) {
    let all = 1 + KINDS.iter().filter(|kind| kind.wakes != Wakes::Never).count();
    within(START, "all watches are open", || async { (operator.way.open_watches() == all).then_some(()) }).await;
}

/// An operator that hears of changes by its watches alone.
async fn watching(walk: &Walk) -> Operator {
    let operator = Operator::start(walk, |settings| settings.resync_seconds = SELDOM);
    operator.has_looked().await;
    all_watches_are_open(&operator).await;
    operator
}

async fn scale_order(walk: &Walk, replicas: i32) {
    let change = json!({"spec": {"services": {"order": {"replicas": replicas}}}});
    walk.api::<EcommerceStack>().patch("shop", &PatchParams::default(), &Patch::Merge(change)).await.unwrap();
}

async fn order_is_scaled(walk: &Walk, replicas: i32) -> bool {
    let order = walk.api::<Deployment>().get("shop-order").await.unwrap();
    order.spec.unwrap().replicas == Some(replicas)
}

#[tokio::test]
async fn what_is_changed_while_no_watch_is_open_is_taken_as_soon_as_one_is() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    let operator = Operator::start(&walk, |settings| settings.resync_seconds = SELDOM);
    operator.has_looked().await;
    let mut longest = Duration::ZERO;
    for replicas in (2..=10).cycle().take(scale(20, 2)) {
        operator.way.lose(Gone::Watches);
        within(START, "all watches are cut", || async { (operator.way.open_watches() == 0).then_some(()) }).await;
        scale_order(&walk, replicas).await;
        // Of what is ours, too: a Service is put back.
        walk.delete::<Service>("shop-redis").await;
        operator.way.lose(Gone::Nothing);
        let since = Instant::now();
        within(SOON, "the change is taken", || async {
            let redis = walk.api::<Service>().get_opt("shop-redis").await.unwrap();
            (order_is_scaled(&walk, replicas).await && redis.is_some()).then_some(())
        })
        .await;
        longest = longest.max(since.elapsed());
        all_watches_are_open(&operator).await;
    }
    figure("a change while watches were cut is taken after at most", format!("{longest:?}"));
    operator.stop().await;
}

/// The node of the API server is lost: the connection stays, and nothing comes.
#[tokio::test]
async fn a_watch_that_hangs_without_a_word_hides_no_change_and_no_new_stack_for_long() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    // Watches are given up no later than stacks are looked at again.
    let resync = Duration::from_secs(10);
    let operator = Operator::start(&walk, |settings| settings.resync_seconds = resync.as_secs());
    operator.has_looked().await;
    all_watches_are_open(&operator).await;
    operator.way.hush_watches();
    scale_order(&walk, 4).await;
    walk.create_stack("second", json!({})).await;
    let since = Instant::now();
    within(resync + SOON, "the change and the new stack are seen", || async {
        let second = walk.api::<StatefulSet>().get_opt("second-postgres").await.unwrap();
        (order_is_scaled(&walk, 4).await && second.is_some()).then_some(())
    })
    .await;
    figure(
        "a change and a new stack are seen, while the watches of before hang, after",
        format!("{:?}", since.elapsed()),
    );
    operator.stop().await;
}

/// Whoever is on call tries things, and forgets them.
#[tokio::test]
async fn whatever_somebody_takes_away_of_what_is_watched_is_back_before_the_next_resync() {
    let walk = Walk::begin(json!({
        "services": {"order": {"replicas": 2}}, "gateway": {"ingress": {"host": "shop.example"}},
    }))
    .await;
    walk.to_ready().await;
    let operator = watching(&walk).await;
    let mut objects = 0;
    for kind in KINDS.iter().filter(|kind| kind.wakes == Wakes::Always && kind.write == Write::Applied) {
        let api: Api<DynamicObject> = Api::namespaced_with(walk.client.clone(), &walk.namespace, &kind.resource);
        for object in api.list_metadata(&ListParams::default()).await.unwrap() {
            let name = object.name_any();
            let at_once =
                DeleteParams { propagation_policy: Some(PropagationPolicy::Background), ..Default::default() };
            api.delete(&name, &at_once).await.unwrap();
            within(SOON, &format!("{} {name} is back", kind.resource.kind), || async {
                let back = api.get_metadata_opt(&name).await.unwrap();
                back.is_some_and(|back| back.metadata.uid != object.metadata.uid).then_some(())
            })
            .await;
            walk.play().await;
            objects += 1;
        }
    }
    assert!(objects > 20, "{objects}");
    figure("objects that were deleted and came back by a watch", objects.to_string());
    operator.stop().await;
}

#[tokio::test]
async fn a_rollout_that_somebody_paused_and_a_store_that_takes_no_template_go_on() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    let operator = watching(&walk).await;
    for _ in 0..2 {
        let merge = |patch| Patch::Merge(json!({"spec": patch}));
        let by_hand = PatchParams { field_manager: Some("kubectl-rollout".to_owned()), ..PatchParams::default() };
        walk.api::<Deployment>().patch("shop-order", &by_hand, &merge(json!({"paused": true}))).await.unwrap();
        let on_delete = json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}});
        walk.api::<StatefulSet>().patch("shop-redis", &by_hand, &merge(on_delete)).await.unwrap();
        within(SOON, "both go on", || async {
            let order = walk.api::<Deployment>().get("shop-order").await.unwrap().spec.unwrap();
            let redis = walk.api::<StatefulSet>().get("shop-redis").await.unwrap().spec.unwrap();
            let strategy = redis.update_strategy.unwrap().type_;
            (order.paused != Some(true) && strategy.as_deref() == Some("RollingUpdate")).then_some(())
        })
        .await;
    }
    operator.stop().await;
}
