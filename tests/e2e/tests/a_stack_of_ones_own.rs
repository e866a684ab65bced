//! What people do to a stack with `kubectl`, tried on one that nobody else uses: made again at once, given too little, restarted, and
//! with a Secret that was tidied away.
#![expect(clippy::expect_used, reason = "a test says what went wrong by panicking")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use e2e::{Tenant, within};
use ecommerce_testing::{figure, scale};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, ResourceQuota, Secret};
use kube::api::{DeleteParams, ListParams, PostParams};
use operator::crd::EcommerceStack;
use serde_json::{from_value, json};

const SOON: Duration = Duration::from_mins(3);

/// One after the other: a small machine has room for one shop beside the one that everybody uses.
#[tokio::test]
async fn what_people_do_to_a_stack() {
    let tenant = Tenant::new("acts").await;
    a_stack_that_is_deleted_and_made_again_at_once_comes_up(&tenant, "Delete").await;
    a_stack_that_is_deleted_and_made_again_at_once_comes_up(&tenant, "Retain").await;
    a_restart_by_hand_is_done_once_and_wholly(&tenant).await;
    a_volume_that_does_not_grow_stops_nothing_else(&tenant).await;
    a_request_above_our_own_limit_raises_it(&tenant).await;
    a_quota_is_said_in_its_own_words(&tenant).await;
    a_store_whose_image_is_nowhere_is_again_what_it_was(&tenant).await;
    another_address_of_the_admin_leaves_no_other_admin_in_silence(&tenant).await;
    if scale(1, 0) == 1 {
        stores_serve_with_little_memory_and_with_much(&tenant).await;
    }
    a_secret_that_was_tidied_away_is_missed_before_anything_is_made(&tenant).await;
    tenant.leave().await;
}

/// A pod is ready once its passwords have opened its stores, so a shop that is ready has the right ones.
async fn a_stack_that_is_deleted_and_made_again_at_once_comes_up(tenant: &Tenant, policy: &str) {
    let (times, began) = (scale(50, 3), Instant::now());
    for _ in 0..times {
        tenant.apply(&json!({"deletionPolicy": policy})).await;
        tenant.says("Ready", "True", "the shop is open").await;
        tenant.api::<EcommerceStack>().delete(tenant.name, &DeleteParams::default()).await.expect("delete the stack");
    }
    tenant.apply(&json!({"deletionPolicy": policy})).await;
    tenant.says("Ready", "True", "the shop is open").await;
    figure(&format!("deleted and made again at once under {policy}"), format!("{times}, in {:?}", began.elapsed()));
}

/// <https://github.com/open-telemetry/opentelemetry-operator/issues/1300>: undone after the first pod.
async fn a_restart_by_hand_is_done_once_and_wholly(tenant: &Tenant) {
    let (deployments, sets) = (tenant.api::<Deployment>(), tenant.api::<StatefulSet>());
    let (order, redis) = (format!("{}-order", tenant.name), format!("{}-redis", tenant.name));
    deployments.restart(&order).await.expect("restart");
    sets.restart(&redis).await.expect("restart");
    tenant.look().await;
    within(SOON, "the restart is done", || async {
        let order = deployments.get(&order).await.expect("the deployment");
        let status = order.status.as_ref()?;
        let seen = status.observed_generation == order.metadata.generation;
        (seen && status.updated_replicas == Some(1) && status.replicas == Some(1)).then_some(())
    })
    .await;
    // What we have applied is applied again after a while, whatever it is.
    let (restarted, while_) = (Instant::now(), Duration::from_mins(if scale(1, 0) == 1 { 11 } else { 0 }));
    within(Duration::from_mins(12), "the operator has looked again and again", || async {
        (restarted.elapsed() >= while_).then_some(())
    })
    .await;
    tenant.look().await;
    tenant.says("Ready", "True", "").await;
    let restarted = "kube.kubernetes.io/restartedAt";
    let template = deployments.get(&order).await.expect("the deployment").spec.expect("a spec").template;
    assert!(template.metadata.expect("metadata").annotations.expect("annotations").contains_key(restarted));
    let template = sets.get(&redis).await.expect("the set").spec.expect("a spec").template;
    assert!(template.metadata.expect("metadata").annotations.expect("annotations").contains_key(restarted));
    let of_order = ListParams::default().labels("app.kubernetes.io/name=order");
    let pods: Vec<_> = tenant.api::<ReplicaSet>().list(&of_order).await.expect("replica sets").items;
    let with_pods = pods.iter().filter(|set| set.spec.as_ref().and_then(|spec| spec.replicas) != Some(0)).count();
    assert_eq!(with_pods, 1);
}

/// <https://github.com/cloudnative-pg/cloudnative-pg/issues/2829>: every other change waits behind the error. kind's class does not grow.
async fn a_volume_that_does_not_grow_stops_nothing_else(tenant: &Tenant) {
    let size = |size: &str| json!({"embedded": {"storage": {"size": size}}});
    tenant.apply(&json!({"redis": size("2Gi"), "services": {"gateway": {"replicas": 2}}})).await;
    tenant
        .says("Degraded", "True", &format!("VolumeRefused: the volume data-{}-redis-0 does not grow", tenant.name))
        .await;
    let gateway = format!("{}-gateway", tenant.name);
    within(SOON, "the second gateway comes", || async {
        let gateway = tenant.api::<Deployment>().get(&gateway).await.expect("the deployment");
        (gateway.status?.ready_replicas? == 2).then_some(())
    })
    .await;
    tenant.apply(&json!({"redis": size("1Gi")})).await;
    tenant.says("Degraded", "False", "").await;
    tenant.says("Ready", "True", "").await;
}

/// <https://github.com/kubernetes/kubernetes/issues/108904>: the database's pod is taken away and none can follow.
async fn a_request_above_our_own_limit_raises_it(tenant: &Tenant) {
    let request = json!({"requests": {"memory": "640Mi"}});
    let of_order = json!({"requests": {"memory": "256Mi"}});
    tenant
        .apply(
            &json!({"postgres": {"embedded": {"resources": request}}, "services": {"order": {"resources": of_order}}}),
        )
        .await;
    let set = format!("{}-postgres", tenant.name);
    within(SOON, "postgres has what was asked for", || async {
        let set = tenant.api::<StatefulSet>().get(&set).await.expect("the set");
        let limits = set.spec?.template.spec?.containers.first()?.resources.clone()?.limits?;
        (limits["memory"].0 == "640Mi" && set.status?.ready_replicas? == 1).then_some(())
    })
    .await;
    tenant.says("Ready", "True", "").await;
    tenant.apply(&json!({})).await;
    tenant.says("Ready", "True", "").await;
}

async fn a_quota_is_said_in_its_own_words(tenant: &Tenant) {
    let pods = tenant.api::<ResourceQuota>();
    let quota = json!({"metadata": {"name": "team"}, "spec": {"hard": {"pods": "8"}}});
    pods.create(&PostParams::default(), &from_value(quota).expect("a quota")).await.expect("make the quota");
    tenant.apply(&json!({"services": {"order": {"replicas": 3}}})).await;
    tenant.says("Degraded", "True", "PodsRefused: no pod of acts-order can be made").await;
    tenant.says("Degraded", "True", "exceeded quota: team").await;
    tenant.says("Available", "True", "").await;
    pods.delete("team", &DeleteParams::default()).await.expect("remove the quota");
    tenant.apply(&json!({})).await;
    tenant.says("Ready", "True", "").await;
}

async fn a_store_whose_image_is_nowhere_is_again_what_it_was(tenant: &Tenant) {
    let image = async || {
        let set = tenant.api::<StatefulSet>().get(&format!("{}-redis", tenant.name)).await.expect("the set");
        set.spec.expect("a spec").template.spec.expect("a pod").containers[0].image.clone()
    };
    let (served, tried) = (image().await, Instant::now());
    tenant.apply(&json!({"redis": {"embedded": {"image": "localhost/nowhere/redis:8.0.33"}}})).await;
    tenant.says("Degraded", "True", "UpgradeFailed: redis did not come up with localhost/nowhere/redis:8.0.33").await;
    tenant.says("Available", "True", "").await;
    figure("a store whose image is nowhere serves again after", format!("{:?}", tried.elapsed()));
    assert_eq!(image().await, served);
    tenant.says("Ready", "False", "UpgradeFailed").await;
    tenant.apply(&json!({})).await;
    tenant.says("Ready", "True", "").await;
}

/// <https://github.com/keycloak/keycloak/issues/9843>: the Secret was read once.
async fn another_address_of_the_admin_leaves_no_other_admin_in_silence(tenant: &Tenant) {
    tenant.apply(&json!({"admin": {"email": "boss@example.com"}})).await;
    tenant.says("Degraded", "True", "MigrationNotice: ").await;
    tenant.says("Ready", "True", "still is an admin").await;
    let secret = tenant.api::<Secret>().get(&format!("{}-admin", tenant.name)).await.expect("the Secret");
    assert_eq!(secret.data.expect("data")["email"].0, b"boss@example.com");
    tenant.apply(&json!({})).await;
    tenant.says("Ready", "True", "").await;
}

/// The least that each takes, and more than it needs.
async fn stores_serve_with_little_memory_and_with_much(tenant: &Tenant) {
    for [postgres, rabbitmq, redis] in [["128Mi", "256Mi", "32Mi"], ["4Gi", "4Gi", "4Gi"]] {
        let limit = |memory: &str| json!({"embedded": {"resources": {"limits": {"memory": memory}}}});
        let spec = json!({"postgres": limit(postgres), "rabbitmq": limit(rabbitmq), "redis": limit(redis)});
        let asked = Instant::now();
        tenant.apply(&spec).await;
        tenant.says("Ready", "True", "the shop is open").await;
        figure(
            &format!("stores with {postgres}, {rabbitmq} and {redis} serve after"),
            format!("{:?}", asked.elapsed()),
        );
    }
    tenant.apply(&json!({})).await;
    tenant.says("Ready", "True", "").await;
}

/// <https://github.com/zalando/postgres-operator/issues/1115>: a new password was made that the server never had.
async fn a_secret_that_was_tidied_away_is_missed_before_anything_is_made(tenant: &Tenant) {
    let (stacks, secrets) = (tenant.api::<EcommerceStack>(), tenant.api::<Secret>());
    let name = format!("{}-postgres", tenant.name);
    let volumes = async || {
        let claims = tenant.api::<PersistentVolumeClaim>().list(&ListParams::default()).await.expect("the claims");
        claims.iter().filter_map(kube::ResourceExt::uid).collect::<BTreeSet<_>>()
    };
    let before = (secrets.get(&name).await.expect("the Secret"), volumes().await);
    stacks.delete(tenant.name, &DeleteParams::default()).await.expect("delete the stack");
    within(SOON, "the stack is gone", || async {
        stacks.get_opt(tenant.name).await.expect("an answer").is_none().then_some(())
    })
    .await;
    secrets.delete(&name, &DeleteParams::default()).await.expect("tidy the Secret away");
    tenant.apply(&json!({})).await;
    tenant.says("Degraded", "True", &format!("CredentialsLost: the Secret {name} has lost")).await;
    assert!(secrets.get_opt(&name).await.expect("an answer").is_none(), "it was made anew");

    let mut back = before.0;
    back.metadata = kube::api::ObjectMeta { name: Some(name), ..Default::default() };
    secrets.create(&PostParams::default(), &back).await.expect("put the Secret back");
    tenant.look().await;
    tenant.says("Ready", "True", "the shop is open").await;
    assert_eq!(volumes().await, before.1);
}
