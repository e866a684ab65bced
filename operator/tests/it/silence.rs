//! The controller where nothing happens, and where nobody answers.

use std::time::{Duration, Instant};

use ecommerce_testing::{figure, scale, within};
use kube::api::{Patch, PatchParams};
use operator::crd::EcommerceStack;
use serde_json::json;

use crate::running::Operator;
use crate::walk::Walk;
use crate::way::Gone;

#[tokio::test]
async fn looks_at_what_does_not_change_write_nothing_but_the_lease() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    let before = walk.versions().await;
    let operator = Operator::start(&walk, |settings| settings.resync_seconds = 1);
    // A process that has just begun applies everything once, which changes nothing; its second look comes after that.
    let has_looked = async |times: usize| {
        let patience = Duration::from_mins(1) + Duration::from_secs(5) * u32::try_from(times).unwrap();
        within(patience, "the looks", || async { (operator.way.looks() >= times).then_some(()) }).await;
    };
    has_looked(2).await;
    let first = operator.way.writes().len();
    let looks = scale(180, 20);
    has_looked(2 + looks).await;
    let writes = operator.way.writes().split_off(first);
    operator.stop().await;
    let others: Vec<_> = writes.iter().filter(|write| !write.contains("/leases")).collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(walk.versions().await, before);
    figure("looks that wrote nothing but the Lease", looks);
}

#[tokio::test]
async fn an_api_server_that_was_away_is_worked_with_again_within_a_minute_and_without_a_restart() {
    let walk = Walk::begin(json!({})).await;
    walk.to_ready().await;
    let mut operator = Operator::start(&walk, |settings| settings.resync_seconds = 1);
    operator.has_looked().await;
    operator.way.lose(Gone::Everything);
    let away = Duration::from_mins(1) * u32::try_from(scale(15, 1)).unwrap();
    let ended = tokio::time::timeout(away, &mut operator.task).await;
    assert!(ended.is_err(), "the process ended: {ended:?}");
    let change = json!({"spec": {"services": {"order": {"replicas": 4}}}});
    walk.api::<EcommerceStack>().patch("shop", &PatchParams::default(), &Patch::Merge(change)).await.unwrap();
    operator.way.lose(Gone::Nothing);
    let since = Instant::now();
    let is_done = async || {
        let deployment = walk.api::<k8s_openapi::api::apps::v1::Deployment>().get("shop-order").await.unwrap();
        (deployment.spec.unwrap().replicas == Some(4)).then_some(())
    };
    within(Duration::from_mins(1), "the change", is_done).await;
    figure(
        &format!("working again after {} s without an API server", away.as_secs()),
        format!("{:?}", since.elapsed()),
    );
    operator.stop().await;
}
