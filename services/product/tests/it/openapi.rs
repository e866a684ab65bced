//! The document of the API.

use ecommerce_testing::document;

use crate::shop::Shop;

#[tokio::test]
async fn the_document_is_sound_and_names_every_public_route_and_no_internal_one() {
    let served = Shop::open().await.anonymous.get("/openapi.json").await.body;
    document::assert_sound(&served);
    assert_eq!(served, document::parse(product::openapi()));
    let paths: Vec<&String> = served["paths"].as_object().unwrap().keys().collect();
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
