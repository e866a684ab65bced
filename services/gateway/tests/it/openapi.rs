//! One document of all that is routed.

use serde_json::Value;

use crate::shop::Shop;

#[tokio::test]
async fn the_document_is_served_whatever_becomes_of_the_services() {
    let shop = Shop::open_before_auth().await;
    let answer = shop.get("/openapi.json", None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    assert!(answer.body["paths"]["/api/v1/orders"]["post"].is_object());
}

#[test]
fn the_document_that_is_served_is_the_one_that_the_services_documents_make() {
    let committed: Value = serde_json::from_str(include_str!("../../../../docs/reference/openapi.json")).unwrap();
    let made: Value = serde_json::from_str(&gateway::openapi().unwrap()).unwrap();
    assert_eq!(committed, made, "run `make generate` and commit docs/reference/openapi.json");
}
