//! What happens to volumes and files: what can be mended is, and what can not is said and made no worse.
#![expect(clippy::expect_used, reason = "a test says what went wrong by panicking")]

use std::time::{Duration, Instant};

use e2e::cluster::{self, STACK};
use e2e::{Person, Tenant, within};
use ecommerce_testing::figure;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams};
use serde_json::json;

const SOON: Duration = Duration::from_mins(2);

/// One after the other: each watches what the other would disturb.
#[tokio::test]
async fn what_a_node_or_a_restore_does_to_volumes_is_mended_or_said() {
    data_that_a_restore_opened_to_its_group_is_closed_again().await;
    a_damaged_log_of_redis_costs_no_request_for_the_catalogue().await;
    an_emptied_volume_is_not_taken_for_a_new_shop().await;
}

async fn replace(store: &str) {
    let pods: Api<Pod> = Api::default_namespaced(cluster::client().await);
    let name = format!("{STACK}-{store}-0");
    let old = pods.get(&name).await.expect("the pod").metadata.uid;
    let began = Instant::now();
    pods.delete(&name, &DeleteParams::default().grace_period(0)).await.expect("delete the pod");
    within(SOON, &format!("{store} serves again"), || async {
        let pod = pods.get_opt(&name).await.expect("an answer")?;
        let conditions = pod.status?.conditions?;
        let is_ready = conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True");
        (pod.metadata.uid != old && is_ready).then_some(())
    })
    .await;
    figure(&format!("{store} serves again, damaged, after"), format!("{:?}", began.elapsed()));
}

async fn data_that_a_restore_opened_to_its_group_is_closed_again() {
    cluster::ready_stack().await;
    // What fsGroup does to a volume that is mounted anew; and a server that cannot take its lock file away leaves it behind, as
    // one does whose node has died.
    cluster::run_in("default", &format!("{STACK}-postgres-0"), "postgres", "chmod g+rwxs,u-w /data/postgres");
    replace("postgres").await;
    let cookie = "/var/lib/rabbitmq/.erlang.cookie";
    cluster::run_in("default", &format!("{STACK}-rabbitmq-0"), "rabbitmq", &format!("chmod 660 {cookie}"));
    replace("rabbitmq").await;
    cluster::ready_stack().await;
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(3).await;
    let order = ada.order(&product, 1, Some("tok_success")).await;
    ada.reaches(&order, "paid").await;
}

async fn a_damaged_log_of_redis_costs_no_request_for_the_catalogue() {
    let pod = format!("{STACK}-redis-0");
    let last = "f=$(ls /data/appendonlydir/*.incr.aof | tail -n 1)";
    for damage in [
        "printf GARBAGE | dd of=\"$f\" bs=1 seek=200 conv=notrunc",
        "truncate --size=-3 \"$f\"",
        "printf GARBAGE >/data/appendonlydir/appendonly.aof.manifest",
    ] {
        cluster::ready_stack().await;
        // Something to damage. A session that was written last may be lost with it; who logs in anew has another.
        let email = format!("{}@example.com", e2e::person::unique());
        Person::registered(&email).await;
        cluster::run_in("default", &pod, "redis", &format!("{last}; {damage}"));
        replace("redis").await;
        assert_eq!(Person::nobody().get("/api/v1/products").await.status, 200);
        within(SOON, "people log in and are believed", || async {
            let login = Person::nobody().post("/api/v1/auth/login", &Person::credentials(&email)).await;
            let ada = Person::nobody().with_token(login.body["access_token"].as_str()?);
            (ada.get("/api/v1/auth/me").await.status == 200).then_some(())
        })
        .await;
    }
}

async fn an_emptied_volume_is_not_taken_for_a_new_shop() {
    let tenant = Tenant::new("emptied").await;
    tenant.apply(&json!({"deletionPolicy": "Delete"})).await;
    tenant.says("Ready", "True", "").await;
    cluster::run_in("emptied", "emptied-postgres-0", "postgres", "rm -rf /data/postgres");
    let at_once = DeleteParams::default().grace_period(0);
    tenant.api::<Pod>().delete("emptied-postgres-0", &at_once).await.expect("delete the pod");
    tenant.says("Degraded", "True", "The volume is empty").await;
    tenant.says("Ready", "False", "").await;
    tenant.leave().await;
}
