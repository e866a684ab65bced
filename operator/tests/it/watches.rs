//! Watches that end while a stack is changed, and watches that say nothing any more.

use std::time::{Duration, Instant};

use ecommerce_testing::{figure, scale, within};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Service;
use kube::api::{Patch, PatchParams};
use operator::crd::EcommerceStack;
use operator::kinds::{KINDS, Wakes};
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
    for replicas in 2..2 + i32::try_from(scale(20, 2)).unwrap() {
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
