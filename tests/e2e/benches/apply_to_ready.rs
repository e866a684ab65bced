//! What a new stack waits for, from `kubectl apply` to `Ready`: shown by phase and not asserted, for a machine's speed is no
//! property of the code. `cargo bench -p e2e --bench apply_to_ready`, on a cluster that has nothing else to do.
#![expect(clippy::expect_used, reason = "a benchmark says what went wrong by panicking")]

use std::time::{Duration, Instant};

use e2e::{Tenant, within};
use ecommerce_testing::figure;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use kube::api::{DeleteParams, ListParams};
use operator::crd::EcommerceStack;
use serde_json::json;

const SOON: Duration = Duration::from_mins(3);
const ROUNDS: usize = 3;

async fn wait_for_store(tenant: &Tenant, store: &str) {
    let (sets, name) = (tenant.api::<StatefulSet>(), format!("{}-{store}", tenant.name));
    within(SOON, "the store is ready", || async {
        let set = sets.get_opt(&name).await.expect("an answer")?;
        (set.status?.ready_replicas? == 1).then_some(())
    })
    .await;
}

/// Until as many Jobs whose names have this in them have succeeded.
async fn wait_for_jobs(tenant: &Tenant, infix: &str, count: usize) {
    let jobs = tenant.api::<Job>();
    within(SOON, "the Jobs have succeeded", || async {
        let all = jobs.list(&ListParams::default()).await.expect("the Jobs").items;
        let done = all.iter().filter(|job| {
            let succeeded = job.status.as_ref().and_then(|status| status.succeeded);
            job.metadata.name.as_ref().is_some_and(|name| name.contains(infix)) && succeeded == Some(1)
        });
        (done.count() >= count).then_some(())
    })
    .await;
}

/// When a phase ends, in seconds.
async fn end(began: Instant, phase: impl Future<Output = ()>) -> f32 {
    phase.await;
    began.elapsed().as_secs_f32()
}

#[tokio::main]
async fn main() {
    let tenant = Tenant::new("timed").await;
    for round in 1..=ROUNDS {
        let began = Instant::now();
        tenant.apply(&json!({"deletionPolicy": "Delete"})).await;
        let (postgres, rabbitmq, redis, provisioned, migrated, ready) = tokio::join!(
            end(began, wait_for_store(&tenant, "postgres")),
            end(began, wait_for_store(&tenant, "rabbitmq")),
            end(began, wait_for_store(&tenant, "redis")),
            end(began, wait_for_jobs(&tenant, "-provision", 1)),
            end(began, wait_for_jobs(&tenant, "-migrate", 4)),
            end(began, tenant.says("Ready", "True", "the shop is open")),
        );
        figure(
            &format!("round {round}: seconds after apply"),
            format!(
                "redis {redis:.1}, postgres {postgres:.1}, provisioned {provisioned:.1}, migrated {migrated:.1}, rabbitmq {rabbitmq:.1}, Ready {ready:.1}"
            ),
        );
        let stacks = tenant.api::<EcommerceStack>();
        stacks.delete(tenant.name, &DeleteParams::default()).await.expect("delete the stack");
        within(SOON, "the former stack's stores are gone", || async {
            let sets = tenant.api::<StatefulSet>().list(&ListParams::default()).await.expect("the sets").items;
            let stack = stacks.get_opt(tenant.name).await.expect("an answer");
            (sets.is_empty() && stack.is_none()).then_some(())
        })
        .await;
    }
    tenant.leave().await;
}
