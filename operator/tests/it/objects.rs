//! What is made of a spec, object by object; then the differences that a field makes.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt as _;
use operator::kinds::{KINDS, Write};
use operator::names::Names;
use operator::objects::{Desired, Manifest};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fixtures::{Databases, built, built_with, credentials, spec};

/// An object as YAML reads it, the contents of Secrets in clear.
fn readable(manifest: &Manifest) -> Value {
    let mut object = serde_json::to_value(&manifest.object).unwrap();
    if manifest.resource.kind == "Secret" {
        let secret: Secret = serde_json::from_value(object.clone()).unwrap();
        let clear: serde_json::Map<String, Value> = secret
            .data
            .unwrap_or_default()
            .into_iter()
            .map(|(key, bytes)| (key, String::from_utf8(bytes.0).unwrap().into()))
            .collect();
        object["data"] = Value::Object(clear);
    }
    object
}

pub(crate) fn find<K: DeserializeOwned>(desired: &Desired, kind: &str, name: &str) -> Option<K> {
    let of_name = |manifest: &&Manifest| manifest.resource.kind == kind && manifest.name() == name;
    let found = desired.credentials.iter().chain(&desired.applied).find(of_name)?;
    Some(serde_json::from_value(serde_json::to_value(&found.object).unwrap()).unwrap())
}

#[test]
fn an_empty_spec_gets_every_object() {
    let desired = built(&spec(json!({})), Databases::Migrated);
    for manifest in desired.credentials.iter().chain(&desired.applied) {
        // Of a revision its Deployment shows everything.
        if manifest.resource.kind == "ControllerRevision" {
            continue;
        }
        let name = format!("{}-{}", manifest.resource.kind.to_lowercase(), manifest.name());
        insta::assert_yaml_snapshot!(name, readable(manifest));
    }
    assert!(desired.jobs.is_empty());
}

#[test]
fn databases_are_provisioned_before_they_are_migrated() {
    let desired = built(&spec(json!({})), Databases::Absent);
    assert_eq!(desired.jobs.len(), 1);
    insta::assert_yaml_snapshot!("job-provision", desired.jobs[0]);
    assert!(find::<Deployment>(&desired, "Deployment", "shop-order").is_none());
    assert!(find::<Deployment>(&desired, "Deployment", "shop-gateway").is_some());
}

#[test]
fn a_service_rolls_only_when_its_migration_has_succeeded() {
    let desired = built(&spec(json!({})), Databases::Provisioned);
    let names: Vec<_> = desired.jobs.iter().map(kube::ResourceExt::name_any).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("shop-order-migrate-")));
    insta::assert_yaml_snapshot!("job-order-migrate", desired.jobs[2]);
}

#[test]
fn another_image_is_another_migration() {
    let before = built(&spec(json!({})), Databases::Provisioned);
    let after = built(
        &spec(json!({"services": {"order": {"image": "registry.example.com/order:2.0.0"}}})),
        Databases::Provisioned,
    );
    let names = |desired: &Desired| desired.jobs.iter().map(kube::ResourceExt::name_any).collect::<Vec<_>>();
    let changed: Vec<_> = names(&after).into_iter().filter(|name| !names(&before).contains(name)).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].starts_with("shop-order-migrate-"));
}

#[test]
fn data_is_owned_by_nobody_unless_it_is_to_go_with_the_stack() {
    let owners = |policy: &str| {
        let desired = built(&spec(json!({"deletionPolicy": policy})), Databases::Migrated);
        let secret: Secret = find(&desired, "Secret", "shop-postgres").unwrap();
        let set: StatefulSet = find(&desired, "StatefulSet", "shop-postgres").unwrap();
        let claims = set.spec.clone().unwrap().persistent_volume_claim_retention_policy.unwrap();
        (secret.owner_references().len(), set.owner_references().len(), claims.when_deleted.unwrap())
    };
    assert_eq!(owners("Retain"), (0, 1, "Retain".to_owned()));
    assert_eq!(owners("Delete"), (1, 1, "Retain".to_owned()));
}

fn titles_of_those_that_differ(before: &Desired, after: &Desired) -> Vec<String> {
    let both = before.applied.iter().zip(&after.applied);
    let changed = both.filter(|(before, after)| before.hash() != after.hash());
    // The name of a revision is its hash.
    changed.map(|(before, _)| before.title()).filter(|title| !title.starts_with("ControllerRevision")).collect()
}

#[test]
fn a_secret_that_a_pod_reads_at_its_start_rolls_that_pod_and_no_other() {
    let names = Names::new("default", "shop");
    let before = built(&spec(json!({})), Databases::Migrated);
    let mut changed = credentials(&names);
    changed.insert("shop-redis", "product", "another".to_owned());
    let after = built_with(&spec(json!({})), Databases::Migrated, &changed);
    let differ = titles_of_those_that_differ(&before, &after);
    assert_eq!(differ, ["Secret shop-redis-config", "StatefulSet shop-redis", "Deployment shop-product"]);
}

#[test]
fn another_key_of_an_edge_is_in_two_files_and_rolls_nothing() {
    let names = Names::new("default", "shop");
    let before = built(&spec(json!({})), Databases::Migrated);
    let mut changed = credentials(&names);
    changed.insert("shop-order-api-keys", "product", "another".repeat(7));
    let after = built_with(&spec(json!({})), Databases::Migrated, &changed);
    let differ = titles_of_those_that_differ(&before, &after);
    assert_eq!(differ, ["Secret shop-product-api-key-hashes", "Secret shop-order-edge-keys"]);
}

/// What is there only when the spec says it, a line each.
fn what_auth_is_told_beyond(before: &Desired, after: &Desired) -> String {
    let told = |desired: &Desired| {
        let auth: Deployment = find(desired, "Deployment", "shop-auth").unwrap();
        auth.spec.unwrap().template.spec.unwrap().containers[0].env.clone().unwrap()
    };
    let before = told(before);
    let more = told(after).into_iter().filter(|variable| !before.contains(variable));
    let lines = more.map(|variable| {
        let from =
            variable.value_from.and_then(|from| from.secret_key_ref).map(|key| format!("{} of {}", key.key, key.name));
        format!("{}: {}", variable.name, from.or(variable.value).unwrap())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn auth_alone_is_told_who_makes_accounts_and_how_mail_is_sent() {
    let said = json!({
        "auth": {"registration": "Closed"},
        "mail": {
            "secretRef": {"name": "smtp"}, "from": "shop@example.com",
            "resetUrl": "https://shop.example/$(SMTP_PASSWORD)?token={token}",
        },
    });
    let (before, after) = (built(&spec(json!({})), Databases::Migrated), built(&spec(said), Databases::Migrated));
    // What a person wrote stays text: Kubernetes reads $$ as $, and $( as a variable.
    insta::assert_snapshot!(what_auth_is_told_beyond(&before, &after), @r"
    REGISTRATION: closed
    SMTP_HOST: host of smtp
    SMTP_USERNAME: username of smtp
    SMTP_PASSWORD: password of smtp
    MAIL_FROM: shop@example.com
    PASSWORD_RESET_URL: https://shop.example/$$(SMTP_PASSWORD)?token={token}
    ");
    assert_eq!(titles_of_those_that_differ(&before, &after), ["Deployment shop-auth"]);
}

/// The pods follow the filter by themselves.
#[test]
fn another_filter_of_the_log_is_another_file_and_no_other_pod() {
    let (info, debug) = (json!({}), json!({"log": {"filter": "info,order=debug"}}));
    let (before, after) = (built(&spec(info), Databases::Migrated), built(&spec(debug), Databases::Migrated));
    assert_eq!(titles_of_those_that_differ(&before, &after), ["ConfigMap shop-log"]);
    let revisions = |desired: &Desired| {
        let revisions = desired.applied.iter().filter(|manifest| manifest.resource.kind == "ControllerRevision");
        revisions.map(|revision| revision.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(revisions(&before), revisions(&after));
    let filter = |desired| find::<ConfigMap>(desired, "ConfigMap", "shop-log").unwrap().data.unwrap()["filter"].clone();
    assert_eq!((filter(&before), filter(&after)), ("info".to_owned(), "info,order=debug".to_owned()));
}

#[test]
fn no_secret_is_in_an_object_that_is_not_a_secret() {
    let desired = built(&spec(json!({})), Databases::Migrated);
    for manifest in desired.applied.iter().filter(|manifest| manifest.resource.kind != "Secret") {
        let text = serde_json::to_string(&manifest.object).unwrap();
        assert!(!text.contains("secret of"), "{}", manifest.title());
    }
    for job in built(&spec(json!({})), Databases::Absent).jobs {
        assert!(!serde_json::to_string(&job).unwrap().contains("secret of"));
    }
}

#[test]
fn fields_of_the_spec_reach_their_objects() {
    let spec = spec(json!({
        "version": "2.1.0",
        "images": {"registry": "registry.example.com/shop", "pullPolicy": "Always", "pullSecrets": ["pull"]},
        "services": {"order": {"replicas": 3, "resources": {"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}}}},
        "redis": {"embedded": {"image": "valkey:8", "storage": {"size": "9Gi", "className": "fast"}}},
    }));
    let desired = built(&spec, Databases::Migrated);
    let order: Deployment = find(&desired, "Deployment", "shop-order").unwrap();
    let order = order.spec.unwrap();
    let pod = order.template.spec.unwrap();
    assert_eq!(order.replicas, Some(3));
    assert_eq!(pod.image_pull_secrets.unwrap()[0].name, "pull");
    let container = &pod.containers[0];
    assert_eq!(container.image.as_deref(), Some("registry.example.com/shop/order:2.1.0"));
    assert_eq!(container.image_pull_policy.as_deref(), Some("Always"));
    let resources = container.resources.clone().unwrap();
    assert_eq!(resources.requests.unwrap()["cpu"].0, "1");
    assert_eq!(resources.limits.unwrap()["memory"].0, "1Gi");

    let redis: StatefulSet = find(&desired, "StatefulSet", "shop-redis").unwrap();
    let redis = redis.spec.unwrap();
    assert_eq!(redis.template.spec.unwrap().containers[0].image.as_deref(), Some("valkey:8"));
    let claim = redis.volume_claim_templates.unwrap()[0].spec.clone().unwrap();
    assert_eq!(claim.storage_class_name.as_deref(), Some("fast"));
    assert_eq!(claim.resources.unwrap().requests.unwrap()["storage"].0, "9Gi");
}

#[test]
fn a_drained_node_takes_one_pod_of_a_service_that_has_several_and_is_not_held_up_by_one_alone() {
    let said = json!({"services": {"order": {"replicas": 2}, "auth": {"replicas": 1}}});
    let desired = built(&spec(said), Databases::Migrated);
    let budgets = desired.applied.iter().filter(|manifest| manifest.resource.kind == "PodDisruptionBudget");
    let budgets: Vec<_> = budgets.map(readable).collect();
    insta::assert_yaml_snapshot!("budgets-of-two-pods-of-order", budgets);
}

#[test]
fn an_ingress_brings_a_host_to_the_gateway() {
    let said = json!({"host": "shop.example.com", "className": "nginx", "tlsSecret": "shop-tls"});
    let desired = built(&spec(json!({"gateway": {"ingress": said}})), Databases::Migrated);
    let ingress = desired.applied.iter().find(|manifest| manifest.resource.kind == "Ingress").unwrap();
    insta::assert_yaml_snapshot!("ingress-shop-gateway", readable(ingress));
}

#[test]
fn every_object_is_of_a_kind_that_the_operator_may_write() {
    let said = json!({"services": {"order": {"replicas": 2}}, "gateway": {"ingress": {"host": "shop.example.com"}}});
    let desired = built(&spec(said), Databases::Migrated);
    let written: BTreeSet<&str> =
        desired.credentials.iter().chain(&desired.applied).map(|manifest| manifest.resource.kind.as_str()).collect();
    let applied = KINDS.iter().filter(|kind| kind.write == Write::Applied);
    assert_eq!(written, applied.map(|kind| kind.resource.kind.as_str()).collect());
}
