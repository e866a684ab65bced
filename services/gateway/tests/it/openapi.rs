//! One document of all that is routed.

use serde_json::json;
use time::Duration;

use crate::shop::Shop;

fn document(path: &str, method: &str) -> serde_json::Value {
    json!({
        "paths": {
            path: { method: { "operationId": "handler", "responses": { "200": { "description": "ok" } } } },
            "/internal/all": { "get": { "responses": {} } },
        },
        "components": { "schemas": { "Problem": { "type": "object" } } },
    })
}

#[tokio::test]
async fn the_document_is_all_services_own_and_remembered_for_a_minute() {
    let shop = Shop::open().await;
    for (upstream, path, method) in [
        (&shop.auth, "/api/v1/auth/login", "post"),
        (&shop.product, "/api/v1/products/{id}", "get"),
        (&shop.order, "/api/v1/orders", "post"),
        (&shop.payment, "/api/v1/payments/{id}/pay", "post"),
    ] {
        *upstream.seen.openapi.lock().unwrap() = document(path, method);
    }
    let answer = shop.get("/openapi.json", None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let paths: Vec<_> = answer.body["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        ["/api/v1/auth/login", "/api/v1/orders", "/api/v1/payments/{id}/pay", "/api/v1/products/{id}", "/openapi.json"]
    );
    assert_eq!(answer.body["paths"]["/api/v1/orders"]["post"]["operationId"], "post_orders");
    assert_eq!(answer.body["components"]["schemas"], json!({ "Problem": { "type": "object" } }));

    assert_eq!(shop.get("/openapi.json", None).await.bytes, answer.bytes);
    assert_eq!(shop.order.asked("/openapi.json"), 1);
    shop.clock.advance(Duration::minutes(1));
    *shop.order.seen.openapi.lock().unwrap() = json!({});
    assert!(shop.get("/openapi.json", None).await.body["paths"]["/api/v1/orders"].is_null());
}

#[tokio::test]
async fn without_all_services_there_is_no_document_but_the_last() {
    let nowhere = "http://127.0.0.1:9";
    let shop = Shop::open_with(|config| config.services.payment_url = nowhere.parse().unwrap()).await;
    let answer = shop.get("/openapi.json", None).await;
    assert_eq!((answer.status, answer.code()), (503, "openapi_unavailable"));
}
