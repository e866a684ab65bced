//! The document of the API.

use ecommerce_testing::{Client, document};

use crate::shop::Shop;

#[tokio::test]
async fn the_document_is_sound_and_names_every_route() {
    let shop = Shop::open().await;
    let served = Client::anonymous(shop.address, &shop.keys).get("/openapi.json").await.body;
    document::assert_sound(&served);
    assert_eq!(served, document::parse(order::openapi()));
    let paths: Vec<&String> = served["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/api/v1/orders",
            "/api/v1/orders/{id}",
            "/api/v1/orders/{id}/cancel",
            "/api/v1/orders/{id}/fulfil",
            "/api/v1/orders/{id}/history"
        ]
    );
}
