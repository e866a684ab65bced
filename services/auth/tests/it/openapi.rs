//! The document of the API.

use ecommerce_testing::document;

use crate::shop::Shop;

#[tokio::test]
async fn the_document_is_sound_and_names_every_route() {
    let served = Shop::open().await.anonymous.get("/openapi.json").await.body;
    document::assert_sound(&served);
    assert_eq!(served, document::parse(auth::openapi()));
    let paths: Vec<&String> = served["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/.well-known/jwks.json",
            "/api/v1/auth/login",
            "/api/v1/auth/logout",
            "/api/v1/auth/me",
            "/api/v1/auth/register",
        ]
    );
}
