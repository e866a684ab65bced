//! What a new stack waits for, from `kubectl apply` to `Ready`: shown by phase and not asserted, for a machine's speed is no
//! property of the code. `cargo bench -p e2e --bench apply_to_ready`, on a cluster that has nothing else to do.
#![expect(clippy::expect_used, reason = "a benchmark says what went wrong by panicking")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use e2e::{Tenant, within};
use ecommerce_testing::figure;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams};
use operator::crd::EcommerceStack;
use serde_json::json;

const ROUNDS: usize = 3;
const SOON: Duration = Duration::from_mins(3);
/// Seldom enough that the looks take nothing from what they look at.
const LOOK: Duration = Duration::from_millis(250);
const PHASES: [&str; 6] = ["redis", "postgres", "provisioned", "rabbitmq", "migrated", "Ready"];

/// The phases that a stack has behind it.
async fn behind(tenant: &Tenant) -> Vec<&'static str> {
    let everything = ListParams::default();
    let sets = tenant.api::<StatefulSet>().list(&everything).await.expect("the StatefulSets").items;
    let jobs = tenant.api::<Job>().list(&everything).await.expect("the Jobs").items;
    let stack = tenant.api::<EcommerceStack>().get(tenant.name).await.expect("the stack");
    let serves = |store: &str| {
        let set = sets.iter().find(|set| set.metadata.name.as_ref().is_some_and(|name| name.ends_with(store)));
        set.and_then(|set| set.status.as_ref()?.ready_replicas) == Some(1)
    };
    let succeeded = |infix: &str| {
        let of_kind = jobs.iter().filter(|job| job.metadata.name.as_ref().is_some_and(|name| name.contains(infix)));
        of_kind.filter(|job| job.status.as_ref().and_then(|status| status.succeeded) == Some(1)).count()
    };
    let conditions = stack.status.map(|status| status.conditions).unwrap_or_default();
    let is_behind = |phase: &&str| match *phase {
        "provisioned" => succeeded("-provision-") == 1,
        "migrated" => succeeded("-migrate-") == 4,
        "Ready" => conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True"),
        store => serves(store),
    };
    PHASES.into_iter().filter(is_behind).collect()
}

#[tokio::main]
async fn main() {
    let tenant = Tenant::new("timed").await;
    for round in 1..=ROUNDS {
        tenant.apply(&json!({"deletionPolicy": "Delete"})).await;
        let (began, mut times) = (Instant::now(), BTreeMap::new());
        let mut look = tokio::time::interval(LOOK);
        while times.len() < PHASES.len() {
            look.tick().await;
            for phase in behind(&tenant).await {
                times.entry(phase).or_insert(began.elapsed());
            }
        }
        let times = PHASES.map(|phase| format!("{phase} {:.1}", times[phase].as_secs_f32()));
        figure(&format!("round {round}: seconds after apply"), times.join(", "));
        let stacks = tenant.api::<EcommerceStack>();
        stacks.delete(tenant.name, &DeleteParams::default()).await.expect("delete the stack");
        within(SOON, "nothing is left of the stack", || async {
            let pods = tenant.api::<Pod>().list(&ListParams::default()).await.expect("the pods").items;
            let jobs = tenant.api::<Job>().list(&ListParams::default()).await.expect("the Jobs").items;
            (pods.is_empty() && jobs.is_empty()).then_some(())
        })
        .await;
    }
    tenant.leave().await;
}
