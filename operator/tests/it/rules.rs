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

fn mail(secret: &str, from: &str, reset_url: &str) -> Value {
    json!({"mail": {"secretRef": {"name": secret}, "from": from, "resetUrl": reset_url}})
}

const FROM: &str = "shop@example.com";
const RESET_URL: &str = "https://shop.example/reset?token={token}";

fn refused_mail() -> Vec<Refused> {
    const NO_ADDRESS: &str = "mail.from must be an e-mail address like shop@example.com";
    const NO_LINK: &str = "mail.resetUrl must be an https address with {token} in it once";
    const NO_SECRET: &str = "secretRef.name must be the name of a Secret";
    let case = |what, spec, sentence| Refused { what, name: "shop", old: None, spec, sentence };
    let from = |what, from: &str| case(what, mail("smtp", from, RESET_URL), NO_ADDRESS);
    let link = |what, link: &str| case(what, mail("smtp", FROM, link), NO_LINK);
    vec![
        case("mail through a Secret that can not be", mail("My SMTP", FROM, RESET_URL), NO_SECRET),
        case("mail through a Secret without a name", mail("", FROM, RESET_URL), NO_SECRET),
        from("mail from nobody", "shop"),
        from("mail from somebody by name", "Shop <shop@example.com>"),
        from("mail from a host that is none", &format!("shop@{}.example", "a".repeat(64))),
        link("a link without its token", "https://shop.example/"),
        link("a link with its token twice", "https://shop.example/{token}/{token}"),
        link("a link whose host is the token", "https://{token}/"),
        link("a link of two lines", "https://shop.example/{token}\nhttps://other.example/"),
        link("a link in clear text", "http://shop.example/{token}"),
        link("a link in clear text to a host like one's own", "http://localhost.shop.example/{token}"),
        link("a link in clear text past one's own machine", "http://localhost:word@shop.example/{token}"),
    ]
}

fn external(store: &str, managed: Option<bool>) -> Value {
    let mut external = json!({"secretRef": {"name": "theirs"}});
    if let Some(managed) = managed {
        external["managed"] = managed.into();
    }
    json!({store: {"external": external}})
}

fn refused_stores_of_others() -> Vec<Refused> {
    let case = |what, spec, sentence| Refused { what, name: "shop", old: None, spec, sentence };
    let change = |what, old, spec, sentence| Refused { what, name: "shop", old: Some(old), spec, sentence };
    let key = |key: &str| json!({"postgres": {"external": {"secretRef": {"name": "theirs"}, "keys": {"uri": key}}}});
    let with_embedded = json!({"postgres": {"embedded": {}, "external": {"secretRef": {"name": "theirs"}}}});
    vec![
        case("a store in two places", with_embedded, "name embedded or external, not both"),
        case(
            "a Redis whose users would be ours",
            external("redis", Some(true)),
            "redis.external.managed can not be true",
        ),
        case(
            "a Secret that can not be",
            json!({"redis": {"external": {"secretRef": {"name": "My Redis"}}}}),
            "secretRef.name must be",
        ),
        case("a key with a slash", key("a/b"), "keys name keys of a Secret"),
        change(
            "embedded, then external",
            json!({}),
            external("postgres", None),
            "postgres can not change between embedded",
        ),
        change(
            "embedded in words, then external",
            json!({"redis": {"embedded": {}}}),
            external("redis", None),
            "docs/operate/external-stores.md#move",
        ),
        change(
            "external, then embedded",
            external("rabbitmq", None),
            json!({}),
            "rabbitmq can not change between embedded",
        ),
        change(
            "external, then nothing, as the first of two steps",
            external("postgres", None),
            json!({"postgres": {"external": null}}),
            "postgres can not change between embedded",
        ),
        change(
            "managed, then not",
            external("postgres", None),
            external("postgres", Some(false)),
            "postgres can not change between embedded",
        ),
        change(
            "not managed, then managed",
            external("rabbitmq", Some(false)),
            external("rabbitmq", Some(true)),
            "rabbitmq can not change between embedded",
        ),
    ]
}

/// What was there before, and what is taken of stores of others. No such store becomes the operator's again.
pub(crate) fn allowed_stores_of_others() -> Vec<(Option<Value>, Value)> {
    let keys = json!({"host": "endpoint", "managementUri": "management", "certificates": "ca-bundle.pem"});
    let other = json!({"rabbitmq": {"external": {"secretRef": {"name": "other"}, "keys": keys}}});
    vec![
        (None, external("postgres", None)),
        (None, external("postgres", Some(false))),
        (None, external("rabbitmq", Some(true))),
        (None, external("redis", None)),
        (None, external("redis", Some(false))),
        (None, json!({"postgres": {"external": null}, "redis": {"embedded": null}})),
        (Some(external("rabbitmq", None)), external("rabbitmq", Some(true))),
        (Some(external("redis", Some(false))), external("redis", None)),
        (Some(external("rabbitmq", None)), other),
        (Some(json!({"postgres": {"embedded": {}}})), json!({"postgres": null})),
    ]
}

/// Whatever lies between: a volume does not move in one step and not in two.
fn refused_changes() -> Vec<Refused> {
    let change = |what, old, spec, sentence| Refused { what, name: "shop", old: Some(old), spec, sentence };
    let storage = |storage: Value| json!({"postgres": {"embedded": {"storage": storage}}});
    vec![
        change(
            "a storage class where there was none",
            json!({}),
            storage(json!({"className": "fast"})),
            "postgres.embedded.storage.className can not change",
        ),
        change(
            "no storage class where there was one, as the first of two steps",
            storage(json!({"className": "slow"})),
            json!({"postgres": null}),
            "postgres.embedded.storage.className can not change",
        ),
        change(
            "a storage class after nothing, as the second of two steps",
            json!({"postgres": {"embedded": null}}),
            storage(json!({"className": "fast"})),
            "postgres.embedded.storage.className can not change",
        ),
        change(
            "another storage class",
            storage(json!({"className": "slow"})),
            storage(json!({"className": "fast"})),
            "postgres.embedded.storage.className can not change",
        ),
    ]
}

fn refused() -> Vec<Refused> {
    let case = |what, spec, sentence| Refused { what, name: "shop", old: None, spec, sentence };
    let storage = |storage: Value| json!({"postgres": {"embedded": {"storage": storage}}});
    let ingress = |what, host: &str| {
        case(what, json!({"gateway": {"ingress": {"host": host}}}), "gateway.ingress.host must be a host's name")
    };
    let filter =
        |what, filter: &str| case(what, json!({"log": {"filter": filter}}), "log.filter must be a level, and after it");
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
        filter("a filter of no level", "order"),
        filter("a level that is none", "info,order=debgu"),
        filter("a filter that silences everything else", "order=debug"),
        filter("a level at which libraries show what travels", "info,lapin=trace"),
        filter("a filter with blanks", "info, order=debug"),
        filter("a filter of fields", "info,order[{id=1}]=debug"),
        filter("a filter with an end that is none", "info,"),
        filter("an empty filter", ""),
        filter("a filter of two lines", "info\nwarn"),
        case("an address that is none", json!({"admin": {"email": "ada"}}), "admin.email must be an e-mail address"),
        case(
            "a size without a unit",
            storage(json!({"size": "10"})),
            "storage.size must be a whole number of Mi, Gi or Ti",
        ),
        case("the version that is another one every day", json!({"version": "latest"}), "version must be an image tag"),
        case(
            "a digest that is none",
            json!({"services": {"auth": {"image": "auth@sha256:abc"}}}),
            "image must name a digest or a tag",
        ),
        case(
            "a store's image without a tag",
            json!({"redis": {"embedded": {"image": "redis"}}}),
            "image must name a digest or a tag",
        ),
        ingress("a host with a scheme", "https://shop.example.com"),
        ingress("a host with a port", "shop.example.com:8443"),
        ingress("a host that ends with a dot", "shop.example.com."),
        ingress("no host at all", ""),
    ]
}

/// What no rule has to say, for the schema says it: an API server alone reads that.
fn refused_by_schema() -> [(&'static str, Value, &'static str); 6] {
    let long = format!("{RESET_URL}{}", "a".repeat(2000));
    let memory = |amount: Value| json!({"services": {"order": {"resources": {"limits": {"memory": amount}}}}});
    let nobody = json!({"mail": {"secretRef": {"name": "smtp"}, "resetUrl": RESET_URL}});
    [
        ("a link that is too long", mail("smtp", FROM, &long), "spec.mail.resetUrl: Too long"),
        ("less memory than none", memory(json!(-1)), "should be greater than or equal to 0"),
        ("less memory than none, in words", memory(json!("-1Gi")), "should match"),
        (
            "a filter that is too long",
            json!({"log": {"filter": format!("info{}", ",order=debug".repeat(50))}}),
            "spec.log.filter: Too long",
        ),
        ("mail without a sender", nobody, "spec.mail.from: Required value"),
        (
            "a registration that is neither",
            json!({"auth": {"registration": "open"}}),
            "supported values: \"Open\", \"Closed\"",
        ),
    ]
}

/// What was there before, and what is taken.
pub(crate) fn allowed() -> Vec<(Option<Value>, Value)> {
    let storage = |size: &str| json!({"redis": {"embedded": {"storage": {"size": size}}}});
    vec![
        (None, json!({})),
        (None, json!({"version": "1.2.3-rc.1", "images": {"registry": "registry.example.com:5000/shop"}})),
        (None, json!({"services": {"order": {"replicas": 10, "image": "registry.example.com:5000/order:1"}}})),
        (None, json!({"services": {"order": {"image": format!("order@sha256:{}", "0".repeat(64))}}})),
        (None, json!({"services": {"order": {"resources": {"requests": {"cpu": 1, "memory": "64Mi"}}}}})),
        (None, json!({"gateway": {"service": {"type": "NodePort", "nodePort": 30080}, "trustedProxies": 10}})),
        (None, json!({"admin": {"email": "ada@example.com"}, "deletionPolicy": "Delete", "paused": true})),
        (None, json!({"auth": {"registration": "Closed"}})),
        (None, json!({"gateway": {"ingress": {"host": "shop.example.com", "className": "nginx", "tlsSecret": "tls"}}})),
        (None, json!({"networkPolicies": false, "redis": {"embedded": {"image": "valkey/valkey:8.0.1"}}})),
        (Some(json!({"postgres": null})), json!({"postgres": {"embedded": {"storage": {"size": "6Gi"}}}})),
        (None, json!({"auth": {"registration": "Open"}})),
        (None, json!({"auth": {}})),
        (None, json!({"log": {}})),
        (None, json!({"log": {"filter": "warn"}})),
        (None, json!({"log": {"filter": "info,order=debug,ecommerce_courier::relay=debug,access=off,_x1=error"}})),
        (None, mail("smtp", FROM, RESET_URL)),
        (None, mail("smtp.of-the-shop", "shop+$a@localhost", "https://shop.example:8443/#/reset/{token}?from=mail")),
        (None, mail("smtp", &format!("shop@{}.example", "a".repeat(63)), "http://localhost:8080/reset/{token}")),
        (None, mail("smtp", FROM, "http://127.0.0.1?token={token}")),
        (Some(storage("1Gi")), storage("1025Mi")),
        // Where a volume would not grow, its size is taken back.
        (Some(storage("10Gi")), storage("9Gi")),
        (Some(storage("10Gi")), json!({"redis": {"embedded": {"storage": {}}}})),
        (Some(json!({})), storage("1Gi")),
    ]
}

fn all_refused() -> impl Iterator<Item = Refused> {
    let of_stores = refused_changes().into_iter().chain(refused_stores_of_others());
    refused().into_iter().chain(of_stores).chain(refused_mail())
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
    for case in all_refused() {
        let error = check_here(case.name, case.old.as_ref(), &case.spec).expect_err(case.what);
        assert!(error.contains(case.sentence), "{}: {error}", case.what);
    }
}

#[test]
fn what_keeps_the_rules_is_taken_on_our_side() {
    for (old, spec) in allowed().into_iter().chain(allowed_stores_of_others()) {
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
    for case in all_refused() {
        let error = check_there(case.name, case.old.as_ref(), &case.spec).await.expect_err(case.what);
        assert!(error.contains(case.sentence), "{}: {error}", case.what);
    }
    for (what, spec, sentence) in refused_by_schema() {
        let error = check_there("shop", None, &spec).await.expect_err(what);
        assert!(error.contains(sentence), "{what}: {error}");
    }
}

#[tokio::test]
async fn what_keeps_the_rules_is_taken_by_an_api_server() {
    for (old, spec) in allowed().into_iter().chain(allowed_stores_of_others()) {
        check_there("shop", old.as_ref(), &spec).await.unwrap();
    }
}
