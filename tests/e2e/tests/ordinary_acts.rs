//! What people do to a running stack's objects with `kubectl`: nothing that is known is lost, and the shop goes on.
#![expect(clippy::expect_used, reason = "a test says what went wrong by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::cluster::{self, STACK};
use e2e::{Person, within};
use ecommerce_testing::figure;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use operator::crd::EcommerceStack;
use serde_json::json;
use tokio::task::JoinHandle;

const SECRETS: [&str; 7] =
    ["postgres", "rabbitmq", "redis", "signing-key", "admin", "gateway-api-keys", "order-api-keys"];
const SOON: Duration = Duration::from_mins(1);

/// Somebody who reads the catalogue all the time.
struct Reader {
    task: JoinHandle<()>,
    asked: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
}

impl Reader {
    fn begin() -> Self {
        let (asked, failed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counts = (Arc::clone(&asked), Arc::clone(&failed));
        let task = tokio::spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            loop {
                pace.tick().await;
                counts.0.fetch_add(1, Ordering::Relaxed);
                if Person::nobody().get("/api/v1/products").await.status != 200 {
                    counts.1.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { task, asked, failed }
    }

    fn end(self) -> (usize, usize) {
        self.task.abort();
        (self.asked.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

/// No watch tells of a Secret; a change of the stack's annotations makes the operator look.
async fn look() {
    let stacks: Api<EcommerceStack> = Api::default_namespaced(cluster::client().await);
    let patch = json!({"metadata": {"annotations": {"example.com/looked-at": e2e::person::unique()}}});
    stacks.patch(STACK, &PatchParams::default(), &Patch::Merge(&patch)).await.expect("annotate the stack");
}

async fn condition(kind: &str) -> (String, String, String) {
    let stacks: Api<EcommerceStack> = Api::default_namespaced(cluster::client().await);
    let status = stacks.get(STACK).await.expect("the stack").status.unwrap_or_default();
    let found = status.conditions.into_iter().find(|condition| condition.type_ == kind).expect("the condition");
    (found.status, found.reason, found.message)
}

async fn pods() -> BTreeSet<String> {
    let pods: Api<Pod> = Api::default_namespaced(cluster::client().await);
    let of_stack = ListParams::default().labels(&format!("ecommercestack.dev/stack={STACK},!job-name"));
    let found = pods.list(&of_stack).await.expect("the pods").items;
    found.into_iter().filter_map(|pod| pod.metadata.uid).collect()
}

/// One after the other: each watches what the other would disturb.
#[tokio::test]
async fn what_somebody_takes_away_costs_nothing_or_comes_back() {
    secrets_and_the_ledger_cost_no_request_and_no_pod().await;
    a_deployment_and_a_set_come_back_with_their_data().await;
}

async fn secrets_and_the_ledger_cost_no_request_and_no_pod() {
    cluster::ready_stack().await;
    let client = cluster::client().await;
    let (secrets, maps) =
        (Api::<Secret>::default_namespaced(client.clone()), Api::<ConfigMap>::default_namespaced(client));
    let (before, reader) = (pods().await, Reader::begin());
    for secret in SECRETS {
        let name = format!("{STACK}-{secret}");
        let there = secrets.get(&name).await.expect("the Secret");
        secrets.delete(&name, &DeleteParams::default()).await.expect("delete the Secret");
        look().await;
        within(SOON, &format!("{name} is missed"), || async {
            let (status, reason, message) = condition("Degraded").await;
            (status == "True" && reason == "CredentialsLost" && message.contains(&name)).then_some(())
        })
        .await;
        assert!(secrets.get_opt(&name).await.expect("an answer").is_none(), "{name} is made anew");
        let back = Secret {
            metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
            data: there.data,
            ..Secret::default()
        };
        secrets.create(&PostParams::default(), &back).await.expect("put the Secret back");
        look().await;
        within(SOON, &format!("{name} is missed no more"), || async {
            (condition("Degraded").await.0 == "False").then_some(())
        })
        .await;
    }
    let ledger = format!("{STACK}-ledger");
    let there = maps.get(&ledger).await.expect("the ledger");
    maps.delete(&ledger, &DeleteParams::default()).await.expect("delete the ledger");
    look().await;
    within(SOON, "the ledger is made anew", || async {
        let again = maps.get_opt(&ledger).await.expect("an answer")?;
        (again.metadata.uid != there.metadata.uid).then_some(())
    })
    .await;
    cluster::ready_stack().await;
    assert_eq!(pods().await, before, "pods were made anew");
    let (asked, failed) = reader.end();
    figure("requests while secrets and the ledger were away", format!("{asked}, {failed} failed"));
    assert!(failed == 0 && asked > 100, "{failed} of {asked} failed");
}

async fn a_deployment_and_a_set_come_back_with_their_data() {
    cluster::ready_stack().await;
    let client = cluster::client().await;
    let deployments = Api::<Deployment>::default_namespaced(client.clone());
    let sets = Api::<StatefulSet>::default_namespaced(client.clone());
    let claims = Api::<PersistentVolumeClaim>::default_namespaced(client);
    let name = format!("{STACK}-order");
    let deleted = Instant::now();
    deployments.delete(&name, &DeleteParams::default()).await.expect("delete the Deployment");
    within(Duration::from_secs(10), "the loss is said", || async {
        let (status, _, message) = condition("Available").await;
        (status == "False" && message.contains("order")).then_some(())
    })
    .await;
    figure("a deleted Deployment is said after", format!("{:?}", deleted.elapsed()));
    cluster::ready_stack().await;
    figure("a deleted Deployment is back after", format!("{:?}", deleted.elapsed()));

    let set = format!("{STACK}-redis");
    let claim = format!("data-{set}-0");
    let volume = claims.get(&claim).await.expect("the claim").metadata.uid;
    let deleted = Instant::now();
    sets.delete(&set, &DeleteParams::default()).await.expect("delete the StatefulSet");
    within(SOON, "the set is made anew", || async {
        let set = sets.get_opt(&set).await.expect("an answer")?;
        (set.status?.ready_replicas? == 1).then_some(())
    })
    .await;
    cluster::ready_stack().await;
    figure("a deleted StatefulSet is back after", format!("{:?}", deleted.elapsed()));
    let after = claims.get(&claim).await.expect("the claim");
    assert_eq!((after.metadata.uid, after.metadata.deletion_timestamp), (volume, None));
    let admin = Person::admin().await;
    within(SOON, "who is logged in is believed again", || async {
        (admin.get("/api/v1/auth/me").await.status == 200).then_some(())
    })
    .await;
}
