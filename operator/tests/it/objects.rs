//! What is made of a spec, object by object; then the differences that a field makes.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
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

fn find<K: DeserializeOwned>(desired: &Desired, kind: &str, name: &str) -> Option<K> {
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
fn a_rotated_api_key_reaches_caller_and_callee_without_a_restart() {
    let names = Names::new("default", "shop");
    let before = built(&spec(json!({})), Databases::Migrated);
    let mut changed = credentials(&names);
    changed.insert("shop-order-api-keys", "product", "another".repeat(7));
    let after = built_with(&spec(json!({})), Databases::Migrated, &changed);
    let differ = titles_of_those_that_differ(&before, &after);
    // The caller's file is the generated Secret itself.
    assert_eq!(differ, ["Secret shop-product-api-key-hashes"]);
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
