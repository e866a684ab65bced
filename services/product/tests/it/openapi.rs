use std::collections::BTreeSet;

use crate::shop::Shop;

#[tokio::test]
async fn the_document_names_every_public_route_and_no_internal_one() {
    let shop = Shop::open().await;
    let document = shop.anonymous.get("/openapi.json").await;
    assert_eq!(document.status, 200);
    let paths: Vec<_> = document.body["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/api/v1/products",
            "/api/v1/products/{id}",
            "/api/v1/products/{id}/stock",
            "/api/v1/products/{id}/stock/adjustments",
        ]
    );
}

/// Every reference points at a component that is there: a reader of the document is not sent nowhere.
#[tokio::test]
async fn the_document_refers_to_nothing_that_is_not_in_it() {
    let document: serde_json::Value = serde_json::from_str(&product::openapi().unwrap()).unwrap();
    let text = document.to_string();
    let references = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
    for name in references {
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let document: serde_json::Value = serde_json::from_str(&product::openapi().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 8);
    assert_eq!(BTreeSet::from_iter(&names).len(), names.len(), "{names:?}");
}
