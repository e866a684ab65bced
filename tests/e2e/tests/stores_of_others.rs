//! A stack on a PostgreSQL that somebody else runs: the one of the shop that everybody uses, by a login that is no superuser.
#![expect(clippy::expect_used, reason = "a test says what went wrong by panicking")]

use std::collections::BTreeSet;

use e2e::{Tenant, cluster};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use operator::crd::EcommerceStack;
use serde_json::{from_value, json};

/// Whoever may make roles and databases there, and what an earlier run has left: the second stack of a name would be a stranger to it.
const PROVISIONER: &str = r#"
export PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin PGHOST=/run/postgresql PGUSER=postgres
left() { psql -At -c "select format('drop $1 %I;', $2) from $3 where $2 like 'guest\_%'" | psql -q; }
left database datname pg_database && left role rolname pg_roles
psql -q -c "create role guest_provisioner login createrole createdb password 'of the guest'"
"#;
const DATABASES: &str = r#"
export PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin PGHOST=/run/postgresql PGUSER=postgres
[ "$(psql -At -c "select count(*) from pg_database where datname like 'guest\_%'")" = 4 ]
"#;

#[tokio::test]
async fn a_shop_opens_on_the_postgres_of_another_and_a_bad_edit_rolls_nothing() {
    cluster::ready_stack().await;
    let in_postgres = |script| cluster::run_in("default", "shop-postgres-0", "postgres", script);
    let tenant = Tenant::new("guest").await;
    in_postgres(PROVISIONER);
    let secrets = tenant.api::<Secret>();
    let server = json!({
        "metadata": {"name": "server"},
        "stringData": {"host": "shop-postgres.default", "username": "guest_provisioner", "password": "of the guest"},
    });
    secrets.create(&PostParams::default(), &from_value(server).expect("a Secret")).await.expect("make the Secret");
    let external = json!({"external": {"secretRef": {"name": "server"}}});
    tenant.apply(&json!({"deletionPolicy": "Delete", "postgres": external})).await;
    tenant.says("Ready", "True", "others run postgres").await;

    let before = pods(&tenant).await;
    let wrong = json!({"stringData": {"password": "of nobody"}});
    secrets.patch("server", &PatchParams::default(), &Patch::Merge(&wrong)).await.expect("edit the Secret");
    tenant.look().await;
    tenant
        .says("Ready", "False", "the Secret server, which spec.postgres.external.secretRef names: the login of its")
        .await;
    tenant.says("Available", "True", "").await;
    assert_eq!(pods(&tenant).await, before);

    tenant.api::<EcommerceStack>().delete(tenant.name, &DeleteParams::default()).await.expect("delete the stack");
    tenant.leave().await;
    in_postgres(DATABASES);
}

/// Those of the services.
async fn pods(tenant: &Tenant) -> BTreeSet<String> {
    let of_services = ListParams::default().labels("app.kubernetes.io/component=service");
    let pods = tenant.api::<Pod>().list(&of_services).await.expect("pods");
    pods.into_iter().filter_map(|pod| pod.metadata.name).collect()
}
