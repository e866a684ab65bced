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
            "/api/v1/auth/password",
            "/api/v1/auth/password/forgot",
            "/api/v1/auth/password/reset",
            "/api/v1/auth/refresh",
            "/api/v1/auth/register",
            "/api/v1/auth/sessions",
            "/api/v1/auth/sessions/{id}",
            "/api/v1/users",
            "/api/v1/users/{id}",
            "/api/v1/users/{id}/disable",
            "/api/v1/users/{id}/enable",
            "/api/v1/users/{id}/password-reset",
            "/api/v1/users/{id}/roles",
        ]
    );
}
