//! The document of the API.

use ecommerce_testing::{Client, document};

use crate::shop::Shop;

#[tokio::test]
async fn the_document_is_sound_and_names_every_route() {
    let shop = Shop::open().await;
    let served = Client::anonymous(shop.address, &shop.keys).get("/openapi.json").await.body;
    document::assert_sound(&served);
    assert_eq!(served, document::parse(payment::openapi()));
    let paths: Vec<&String> = served["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/api/v1/payments", "/api/v1/payments/{id}", "/api/v1/payments/{id}/pay"]);
}
