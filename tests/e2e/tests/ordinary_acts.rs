//! What people do to a running stack's objects with `kubectl`: nothing that is known is lost, and the shop goes on.
#![expect(clippy::expect_used, reason = "a test says what went wrong by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use e2e::cluster::{self, STACK};
use e2e::{Person, Probe, within};
use ecommerce_testing::{figure, scale};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, Service};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use operator::crd::{EcommerceStack, MigrationState};
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
    let probe = Probe::new().await;
    deployments_come_back(&probe).await;
    sets_come_back_with_their_data(&probe).await;
    what_is_edited_is_put_back().await;
    other_passwords_reach_their_servers_and_then_the_pods(&probe).await;
    another_password_in_the_admins_secret_is_the_admins().await;
    if scale(1, 0) == 1 {
        another_key_of_an_edge_is_taken_without_a_refusal(&probe).await;
    }
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

/// All of them where claims are proven, one where they are only tried.
fn some<'a>(all: &[&'a str], one: &'a str) -> Vec<&'a str> {
    if scale(1, 0) == 1 { all.to_vec() } else { vec![one] }
}

async fn deployments_come_back(probe: &Probe) {
    let deployments = Api::<Deployment>::default_namespaced(cluster::client().await);
    for service in some(&["auth", "gateway", "product", "order", "payment"], "order") {
        cluster::ready_stack().await;
        let name = format!("{STACK}-{service}");
        let deleted = Instant::now();
        deployments.delete(&name, &DeleteParams::default()).await.expect("delete the Deployment");
        within(Duration::from_secs(10), "the loss is said", || async {
            let (status, _, message) = condition("Available").await;
            (status == "False" && message.contains(service)).then_some(())
        })
        .await;
        figure(&format!("the deleted Deployment of {service} is said after"), format!("{:?}", deleted.elapsed()));
        probe.sells_when_ready().await;
        figure(&format!("the deleted Deployment of {service} is back after"), format!("{:?}", deleted.elapsed()));
    }
}

async fn sets_come_back_with_their_data(probe: &Probe) {
    let client = cluster::client().await;
    let sets = Api::<StatefulSet>::default_namespaced(client.clone());
    let claims = Api::<PersistentVolumeClaim>::default_namespaced(client);
    for store in some(&["postgres", "rabbitmq", "redis"], "redis") {
        cluster::ready_stack().await;
        let set = format!("{STACK}-{store}");
        let claim = format!("data-{set}-0");
        let volume = claims.get(&claim).await.expect("the claim").metadata.uid;
        let admin = Person::admin().await;
        let deleted = Instant::now();
        sets.delete(&set, &DeleteParams::default()).await.expect("delete the StatefulSet");
        within(SOON, "the set is made anew", || async {
            let set = sets.get_opt(&set).await.expect("an answer")?;
            (set.status?.ready_replicas? == 1).then_some(())
        })
        .await;
        probe.sells_when_ready().await;
        figure(&format!("the deleted StatefulSet of {store} is back after"), format!("{:?}", deleted.elapsed()));
        let after = claims.get(&claim).await.expect("the claim");
        assert_eq!((after.metadata.uid, after.metadata.deletion_timestamp), (volume, None));
        within(SOON, "who is logged in is believed again", || async {
            (admin.get("/api/v1/auth/me").await.status == 200).then_some(())
        })
        .await;
    }
}

async fn what_is_edited_is_put_back() {
    cluster::ready_stack().await;
    let client = cluster::client().await;
    let deployments = Api::<Deployment>::default_namespaced(client.clone());
    let services = Api::<Service>::default_namespaced(client);
    for service in some(&["auth", "gateway", "product", "order", "payment"], "payment") {
        let name = format!("{STACK}-{service}");
        let image = |deployment: Deployment| deployment.spec?.template.spec?.containers.first()?.image.clone();
        let before = image(deployments.get(&name).await.expect("the Deployment"));
        let edit =
            json!({"spec": {"template": {"spec": {"containers": [{"name": service, "image": "nowhere/at:all"}]}}}});
        deployments.patch(&name, &PatchParams::default(), &Patch::Strategic(&edit)).await.expect("edit the Deployment");
        let edit = json!({"spec": {"selector": {"app.kubernetes.io/name": "nobody"}}});
        services.patch(&name, &PatchParams::default(), &Patch::Merge(&edit)).await.expect("edit the Service");
        let edited = Instant::now();
        within(SOON, "both are as they were", || async {
            let is_back = image(deployments.get(&name).await.expect("the Deployment")) == before;
            let selector = services.get(&name).await.expect("the Service").spec?.selector?;
            (is_back && selector["app.kubernetes.io/name"] == service).then_some(())
        })
        .await;
        figure(&format!("an edit of {service} is put back after"), format!("{:?}", edited.elapsed()));
        cluster::ready_stack().await;
    }
}

async fn pods_of(service: &str) -> BTreeSet<String> {
    let pods: Api<Pod> = Api::default_namespaced(cluster::client().await);
    let labels = format!("ecommercestack.dev/stack={STACK},app.kubernetes.io/name={service},!job-name");
    let found = pods.list(&ListParams::default().labels(&labels)).await.expect("the pods").items;
    found.into_iter().filter_map(|pod| pod.metadata.uid).collect()
}

/// Of whatever characters.
async fn other_passwords_reach_their_servers_and_then_the_pods(probe: &Probe) {
    let secrets = Api::<Secret>::default_namespaced(cluster::client().await);
    for edit in some(
        &["postgres order-login order", "rabbitmq payment payment", "redis product product"],
        "postgres order-login order",
    ) {
        let [store, key, service] = edit.split(' ').collect::<Vec<_>>()[..] else { panic!("{edit} has three words") };
        cluster::ready_stack().await;
        let (before, reader, edited) = (pods_of(service).await, Reader::begin(), Instant::now());
        let password = format!("@ / % : # {}", e2e::person::unique());
        let patch = json!({"stringData": {key: password}});
        let name = format!("{STACK}-{store}");
        secrets.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await.expect("edit the Secret");
        look().await;
        within(Duration::from_mins(2), &format!("{service} has the new password of {store}"), || async {
            pods_of(service).await.is_disjoint(&before).then_some(())
        })
        .await;
        probe.sells_when_ready().await;
        let (asked, failed) = reader.end();
        let took = format!("{:?}; {asked} reads meanwhile, {failed} failed", edited.elapsed());
        figure(&format!("another password of {service} in {store} is in force after"), took);
        assert_eq!(failed, 0, "{edit}");
    }
}

/// The key of the last migration of auth that went well.
async fn migration_of_auth() -> Option<String> {
    let stacks: Api<EcommerceStack> = Api::default_namespaced(cluster::client().await);
    let status = stacks.get(STACK).await.expect("the stack").status?;
    let of_auth = status.migrations.into_iter().find(|migration| migration.service == "auth")?;
    (of_auth.state == MigrationState::Succeeded).then_some(of_auth.key)
}

/// <https://github.com/grafana/grafana-operator/issues/1186>: it was read once, and a new one opened nothing.
async fn another_password_in_the_admins_secret_is_the_admins() {
    cluster::ready_stack().await;
    let secrets = Api::<Secret>::default_namespaced(cluster::client().await);
    let (email, old) = (cluster::admin("email").await, cluster::admin("password").await);
    let new = format!("@ / % : # {}", e2e::person::unique());
    let before = migration_of_auth().await;
    let edit = json!({"stringData": {"password": new}});
    secrets.patch(&format!("{STACK}-admin"), &PatchParams::default(), &Patch::Merge(&edit)).await.expect("edit");
    look().await;
    let log_in = async |password: &str| {
        let body = json!({"email": email, "password": password});
        Person::nobody().post("/api/v1/auth/login", &body).await.status
    };
    let edited = Instant::now();
    // Whoever guesses meanwhile is sent away for a while.
    within(SOON, "the password is applied", || async {
        let now = migration_of_auth().await?;
        (before.as_ref() != Some(&now)).then_some(())
    })
    .await;
    figure("another password of the admin is theirs after", format!("{:?}", edited.elapsed()));
    assert_eq!((log_in(&new).await, log_in(&old).await), (200, 401));
    cluster::ready_stack().await;
}

/// It takes six minutes: what is in the files of pods changes when their kubelets come to it.
async fn another_key_of_an_edge_is_taken_without_a_refusal(probe: &Probe) {
    cluster::ready_stack().await;
    let secrets = Api::<Secret>::default_namespaced(cluster::client().await);
    let key_in = async |secret: String| {
        let data = secrets.get(&secret).await.expect("the Secret").data.expect("its data");
        String::from_utf8(data["product"].0.clone()).expect("a key")
    };
    let (before, reader, edited) = (pods().await, Reader::begin(), Instant::now());
    for caller in ["gateway", "order"] {
        let key = format!("{}{}", e2e::person::unique(), "k".repeat(32));
        let edit = json!({"stringData": {"product": key}});
        let name = format!("{STACK}-{caller}-api-keys");
        secrets.patch(&name, &PatchParams::default(), &Patch::Merge(&edit)).await.expect("edit");
    }
    look().await;
    for caller in ["gateway", "order"] {
        let asked = key_in(format!("{STACK}-{caller}-api-keys")).await;
        within(Duration::from_mins(5), "the new key is sent", || async {
            (key_in(format!("{STACK}-{caller}-edge-keys")).await == asked).then_some(())
        })
        .await;
    }
    figure("another key of an edge is sent after", format!("{:?}", edited.elapsed()));
    let edge = "gateway-product";
    let maps = Api::<ConfigMap>::default_namespaced(cluster::client().await);
    within(Duration::from_mins(5), "the old key is forgotten", || async {
        let ledger = maps.get(&format!("{STACK}-ledger")).await.expect("the ledger").data.expect("its data");
        let ledger: serde_json::Value = serde_json::from_str(&ledger["ledger.json"]).expect("JSON");
        ledger["edges"][edge]["since"].is_null().then_some(())
    })
    .await;
    // Every pod's files have changed once more since.
    within(Duration::from_mins(3), "a file of hashes has had the time to change", || async {
        (edited.elapsed() > Duration::from_mins(8)).then_some(())
    })
    .await;
    probe.sells_when_ready().await;
    let (asked, failed) = reader.end();
    figure("requests while the keys of edges changed", format!("{asked}, {failed} failed"));
    assert!(failed == 0 && asked > 100, "{failed} of {asked} failed");
    assert_eq!(pods().await, before, "pods were made anew");
}
