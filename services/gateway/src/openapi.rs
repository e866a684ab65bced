//! One OpenAPI document of the whole shop, put together of what each service says of itself.
//!
//! The table decides what is in it: an operation that is not routed is left out, and who may use one that is routed is said
//! as the table has it, together with what the gateway itself may answer. Components of one name are one when they are the
//! same, else the later one gets its service's name.
//!
//! It is put together when it changes and not when it is asked for: `make generate` writes it, and it is served as it was
//! compiled in. So no request for it waits for a service.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use ecommerce_contract::Service;
use serde_json::{Map, Value, json};

use crate::answers;
use crate::routes::{Access, Route, TABLE};

/// Where it is; each service has its own at the same path.
pub(crate) const PATH: &str = "/openapi.json";
/// The name of the access token among the document's security schemes.
const SCHEME: &str = "access_token";

/// The document as it was last generated.
const GENERATED: &str = include_str!("../../../docs/reference/openapi.json");
/// The services' own documents.
const SERVICES: [(Service, &str); 4] = [
    (Service::Auth, include_str!("../../../docs/reference/openapi/auth.json")),
    (Service::Product, include_str!("../../../docs/reference/openapi/product.json")),
    (Service::Order, include_str!("../../../docs/reference/openapi/order.json")),
    (Service::Payment, include_str!("../../../docs/reference/openapi/payment.json")),
];

pub(crate) async fn handler() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=60")], GENERATED)
}

/// The merged document, put together anew.
pub fn openapi() -> Result<String, serde_json::Error> {
    let mut merged = own();
    for (service, document) in SERVICES {
        add(&mut merged, service, serde_json::from_str(document)?);
    }
    serde_json::to_string_pretty(&merged)
}

/// The gateway's own part: the frame of the merged one.
fn own() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shop",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The API of one shop. Errors are problem documents (RFC 9457) with a stable `code`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": {
            PATH: { "get": {
                "tags": ["gateway"],
                "operationId": "get_openapi_json",
                "summary": "This document",
                "responses": { "200": { "description": "The document", "content": { "application/json": {} } } },
                "security": [],
            } },
        },
        "components": {
            "securitySchemes": {
                SCHEME: { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "What a login gives" },
            },
            "responses": answers::components(),
        },
    })
}

/// Adds what is routed of a service's document.
fn add(merged: &mut Value, service: Service, mut document: Value) {
    let mut components = take_object(&mut document, "components");
    components.remove("securitySchemes"); // the gateway's own are the only ones from outside
    let renamed = clashes(&merged["components"], &components, service);
    let mut paths = Value::Object(take_object(&mut document, "paths"));
    rename_references(&mut paths, &renamed);
    for (path, mut operations) in take_all(paths) {
        for route in TABLE.iter().filter(|route| route.service == service && route.path == path) {
            let method = route.method.as_str().to_lowercase();
            let Some(operation) = operations.get_mut(&method).filter(|operation| operation.is_object()) else {
                continue;
            };
            let mut operation = operation.take();
            describe(&mut operation, route);
            merged["paths"][&path][method] = operation;
        }
    }
    for (section, entries) in components {
        for (name, mut component) in take_all(entries) {
            rename_references(&mut component, &renamed);
            let name = match renamed.get(&reference(&section, &name)) {
                Some(new) => new.rsplit('/').next().unwrap_or(new).to_owned(),
                None => name,
            };
            merged["components"][&section][name] = component;
        }
    }
}

/// Says what the table says, and what the gateway may answer. Names of operations are made of method and path: those of different services would clash.
fn describe(operation: &mut Value, route: &Route) {
    let path = route.path.trim_start_matches("/api/v1");
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: Vec<&str> = words.collect();
    operation["operationId"] = format!("{}_{}", route.method.as_str().to_lowercase(), name.join("_")).into();
    operation["tags"] = json!([route.service.as_str()]);
    answers::add(&mut operation["responses"], route);
    operation["security"] = match route.access {
        Access::Public => json!([]),
        Access::Needs(role) => {
            operation["x-required-role"] = role.as_str().into();
            json!([{ SCHEME: [] }])
        }
    };
}

/// The components that cannot keep their names, by reference: another of that name says something else, or something that
/// it refers to does.
fn clashes(merged: &Value, components: &Map<String, Value>, service: Service) -> BTreeMap<String, String> {
    let entries = || {
        components.iter().flat_map(|(section, entries)| {
            entries.as_object().into_iter().flatten().map(move |(name, component)| (section, name, component))
        })
    };
    let mut clashing = BTreeMap::new();
    loop {
        let before = clashing.len();
        for (section, name, component) in entries() {
            let Some(other) = merged[section].get(name) else { continue };
            let refers = references(component).iter().any(|reference| clashing.contains_key(*reference));
            if other != component || refers {
                clashing.entry(reference(section, name)).or_insert_with(|| {
                    let mut new = format!("{}{name}", capitalised(service));
                    while merged[section].get(&new).is_some() || components[section].get(&new).is_some() {
                        new.push('_');
                    }
                    reference(section, &new)
                });
            }
        }
        if clashing.len() == before {
            return clashing;
        }
    }
}

fn reference(section: &str, name: &str) -> String {
    format!("#/components/{section}/{name}")
}

fn capitalised(service: Service) -> String {
    let (first, rest) = service.as_str().split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// Every text that refers to a component: in `$ref`, or in the mapping of a discriminator.
fn references(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::String(text) if text.starts_with("#/components/") => BTreeSet::from([text.as_str()]),
        Value::Array(values) => values.iter().flat_map(references).collect(),
        Value::Object(members) => members.values().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

fn rename_references(value: &mut Value, renamed: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = renamed.get(text) {
                text.clone_from(new);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename_references(value, renamed)),
        Value::Object(members) => members.values_mut().for_each(|value| rename_references(value, renamed)),
        _ => {}
    }
}

fn take_object(value: &mut Value, name: &str) -> Map<String, Value> {
    match value.get_mut(name).map(Value::take) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn take_all(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(reference: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{reference}") })
    }

    #[test]
    fn every_route_of_the_table_is_described_and_so_is_its_key() {
        let document: Value = serde_json::from_str(&openapi().unwrap()).unwrap();
        for route in TABLE {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            assert!(operation.is_object(), "{} {}", route.method, route.path);
            let mut parameters = operation["parameters"].as_array().into_iter().flatten();
            let is_keyed = parameters.any(|parameter| parameter["name"] == "Idempotency-Key");
            assert_eq!(route.keyed, is_keyed, "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn every_public_operation_of_a_service_is_routed() {
        for (service, document) in SERVICES {
            let document: Value = serde_json::from_str(document).unwrap();
            for (path, operations) in document["paths"].as_object().unwrap() {
                if path.starts_with("/internal/") {
                    continue;
                }
                for method in operations.as_object().unwrap().keys() {
                    let is_routed = TABLE.iter().any(|route| {
                        route.service == service
                            && route.path == path
                            && route.method.as_str().eq_ignore_ascii_case(method)
                    });
                    assert!(is_routed, "{service} describes {method} {path}, and the gateway has no row for it");
                }
            }
        }
    }

    #[test]
    fn what_is_not_routed_is_left_out_and_the_table_says_who_may() {
        let mut merged = own();
        let operation = json!({ "operationId": "handler", "responses": {} });
        add(
            &mut merged,
            Service::Product,
            json!({ "paths": {
            "/internal/products": { "get": operation },
            "/api/v1/products": { "get": operation, "post": operation, "trace": operation },
            "/api/v1/orders": { "get": operation },
        } }),
        );
        let paths = merged["paths"].as_object().unwrap();
        assert_eq!(paths.keys().collect::<Vec<_>>(), ["/api/v1/products", PATH]);
        assert_eq!(paths["/api/v1/products"].as_object().unwrap().len(), 2);
        assert_eq!(paths["/api/v1/products"]["get"]["security"], json!([]));
        assert_eq!(paths["/api/v1/products"]["post"]["security"], json!([{ SCHEME: [] }]));
        assert_eq!(paths["/api/v1/products"]["post"]["operationId"], "post_products");
        assert_eq!(paths["/api/v1/products"]["post"]["x-required-role"], "staff");
    }

    #[test]
    fn components_of_one_name_are_one_when_they_are_the_same_to_the_last_reference() {
        let mut merged = own();
        let of = |status: &str| {
            json!({
                "paths": {},
                "components": { "schemas": {
                    "Money": { "type": "object" },
                    "Status": { "enum": [status] },
                    "Page": { "items": schema("Status") },
                    "PaymentPage": {},
                } },
            })
        };
        add(&mut merged, Service::Order, of("paid"));
        let mut payments = of("captured");
        payments["paths"]["/api/v1/payments"]["get"] = json!({ "answer": schema("Page"), "amount": schema("Money") });
        add(&mut merged, Service::Payment, payments);
        let schemas = merged["components"]["schemas"].as_object().unwrap();
        assert_eq!(
            schemas.keys().collect::<Vec<_>>(),
            ["Money", "Page", "PaymentPage", "PaymentPage_", "PaymentStatus", "Status"]
        );
        assert_eq!(schemas["PaymentPage_"], json!({ "items": schema("PaymentStatus") }));
        let operation = &merged["paths"]["/api/v1/payments"]["get"];
        assert_eq!((&operation["answer"], &operation["amount"]), (&schema("PaymentPage_"), &schema("Money")));
    }
}
