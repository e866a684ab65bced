//! The rules of the resource, run both by the same CEL on our side and by an API server: each refuses what it is there to
//! refuse, with its sentence, and takes what it allows.

use kube::CustomResourceExt as _;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::cel::Validator;
use operator::crd::EcommerceStack;
use serde_json::{Value, json};

use crate::api_server;

struct Refused {
    what: &'static str,
    name: &'static str,
    old: Option<Value>,
    spec: Value,
    sentence: &'static str,
}

fn refused() -> Vec<Refused> {
    let case = |what, spec, sentence| Refused { what, name: "shop", old: None, spec, sentence };
    let change = |what, old, spec, sentence| Refused { what, name: "shop", old: Some(old), spec, sentence };
    let storage = |storage: Value| json!({"postgres": {"embedded": {"storage": storage}}});
    vec![
        Refused {
            what: "a name that leaves no room",
            name: "a-name-that-is-thirty-one-bytes",
            old: None,
            spec: json!({}),
            sentence: "metadata.name must be at most 30",
        },
        Refused {
            what: "a name that begins with a digit",
            name: "1shop",
            old: None,
            spec: json!({}),
            sentence: "metadata.name must be at most 30",
        },
        case("a version that is no tag", json!({"version": "1.0 beta"}), "version must be an image tag"),
        case(
            "a registry with a scheme",
            json!({"images": {"registry": "https://registry.example.com"}}),
            "images.registry must be a host with an optional path",
        ),
        case("no replica", json!({"services": {"order": {"replicas": 0}}}), "replicas must be between 1 and 10"),
        case("many replicas", json!({"services": {"auth": {"replicas": 11}}}), "replicas must be between 1 and 10"),
        case(
            "an image without a tag",
            json!({"services": {"auth": {"image": "registry.example.com:5000/auth"}}}),
            "image must name a digest or a tag that is never used twice",
        ),
        case(
            "the tag that is used again and again",
            json!({"services": {"auth": {"image": "auth:latest"}}}),
            "image must name a digest or a tag that is never used twice",
        ),
        case(
            "a node port behind a cluster address",
            json!({"gateway": {"service": {"nodePort": 30080}}}),
            "nodePort is allowed only where type is NodePort",
        ),
        case(
            "a node port that no node has",
            json!({"gateway": {"service": {"type": "NodePort", "nodePort": 8080}}}),
            "nodePort must be between 30000 and 32767",
        ),
        case(
            "mail from nobody",
            json!({"mail": {"secretRef": {"name": "smtp"}, "from": "shop", "resetUrl": "https://shop.example/{token}"}}),
            "mail.from must be an e-mail address",
        ),
        case(
            "a link without its token",
            json!({"mail": {"secretRef": {"name": "smtp"}, "from": "shop@example.com", "resetUrl": "https://shop.example/"}}),
            "mail.resetUrl must be an https address with {token} in it once",
        ),
        case(
            "a link in clear text",
            json!({"mail": {"secretRef": {"name": "smtp"}, "from": "shop@example.com", "resetUrl": "http://shop.example/{token}"}}),
            "mail.resetUrl must be an https address with {token} in it once",
        ),
        case("an address that is none", json!({"admin": {"email": "ada"}}), "admin.email must be an e-mail address"),
        case(
            "a size without a unit",
            storage(json!({"size": "10"})),
            "storage.size must be a whole number of Mi, Gi or Ti",
        ),
        change(
            "a smaller volume",
            storage(json!({"size": "10Gi"})),
            storage(json!({"size": "9216Mi"})),
            "storage.size may grow, it can not shrink",
        ),
        change(
            "a volume without its size",
            storage(json!({"size": "10Gi"})),
            storage(json!({})),
            "storage.size can not be taken away",
        ),
        change(
            "another storage class",
            storage(json!({"className": "slow"})),
            storage(json!({"className": "fast"})),
            "storage.className can not change",
        ),
    ]
}

fn allowed() -> Vec<(Option<Value>, Value)> {
    let storage = |size: &str| json!({"redis": {"embedded": {"storage": {"size": size}}}});
    vec![
        (None, json!({})),
        (None, json!({"version": "1.2.3-rc.1", "images": {"registry": "registry.example.com:5000/shop"}})),
        (None, json!({"services": {"order": {"replicas": 10, "image": "registry.example.com:5000/order:1"}}})),
        (None, json!({"services": {"order": {"image": format!("order@sha256:{}", "0".repeat(64))}}})),
        (None, json!({"services": {"order": {"resources": {"requests": {"cpu": 1, "memory": "64Mi"}}}}})),
        (None, json!({"gateway": {"service": {"type": "NodePort", "nodePort": 30080}}})),
        (None, json!({"admin": {"email": "ada@example.com"}, "deletionPolicy": "Delete", "paused": true})),
        (None, json!({"auth": {"registration": "Closed"}})),
        (
            None,
            json!({"mail": {"secretRef": {"name": "smtp"}, "from": "shop@example.com", "resetUrl": "https://shop.example/reset?token={token}"}}),
        ),
        (
            None,
            json!({"mail": {"secretRef": {"name": "smtp"}, "from": "shop@localhost", "resetUrl": "http://localhost:8080/reset/{token}"}}),
        ),
        (Some(storage("1Gi")), storage("1025Mi")),
        (Some(json!({})), storage("1Gi")),
    ]
}

fn object(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack", "metadata": {"name": name}, "spec": spec,
    })
}

fn check_here(name: &str, old: Option<&Value>, spec: &Value) -> Result<(), String> {
    let crd = EcommerceStack::crd();
    let schema = crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
    let schema = serde_json::to_value(schema).unwrap();
    let old = old.map(|spec| object(name, spec));
    Validator::new().validate(&schema, &object(name, spec), old.as_ref()).map_err(|errors| errors.to_string())
}

#[test]
fn what_breaks_a_rule_is_refused_on_our_side() {
    for case in refused() {
        let error = check_here(case.name, case.old.as_ref(), &case.spec).expect_err(case.what);
        assert!(error.contains(case.sentence), "{}: {error}", case.what);
    }
}

#[test]
fn what_keeps_the_rules_is_taken_on_our_side() {
    for (old, spec) in allowed() {
        check_here("shop", old.as_ref(), &spec).unwrap();
    }
}

async fn check_there(name: &str, old: Option<&Value>, spec: &Value) -> Result<(), String> {
    let (client, namespace) = api_server::namespace().await;
    let resource = EcommerceStack::api_resource();
    let api: Api<DynamicObject> = Api::namespaced_with(client, &namespace, &resource);
    let parse = |spec: &Value| serde_json::from_value::<DynamicObject>(object(name, spec)).unwrap();
    let created = api.create(&PostParams::default(), &parse(old.unwrap_or(spec))).await;
    match (created, old) {
        (Err(error), None) => Err(error.to_string()),
        (created, None) => created.map(|_| ()).map_err(|error| error.to_string()),
        (created, Some(_)) => {
            let mut next = created.unwrap();
            next.data["spec"] = spec.clone();
            api.replace(name, &PostParams::default(), &next).await.map(|_| ()).map_err(|error| error.to_string())
        }
    }
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_an_api_server_with_a_sentence() {
    for case in refused() {
        let error = check_there(case.name, case.old.as_ref(), &case.spec).await.expect_err(case.what);
        assert!(error.contains(case.sentence), "{}: {error}", case.what);
    }
}

#[tokio::test]
async fn what_keeps_the_rules_is_taken_by_an_api_server() {
    for (old, spec) in allowed() {
        check_there("shop", old.as_ref(), &spec).await.unwrap();
    }
}
