//! The document of the API

use ecommerce_testing::Client;

use crate::shop::Shop;

#[tokio::test]
async fn the_document_names_every_route() {
    let shop = Shop::open().await;
    let answer = Client::anonymous(shop.address, &shop.keys).get("/openapi.json").await;
    let paths: Vec<&String> = answer.body["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/api/v1/payments", "/api/v1/payments/{id}", "/api/v1/payments/{id}/pay"]);
    assert_eq!(answer.body, serde_json::from_str::<serde_json::Value>(&payment::openapi().unwrap()).unwrap());
}
