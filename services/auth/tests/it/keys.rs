//! Who may call auth: the gateway alone.

use ecommerce_contract::{Service, headers};
use ecommerce_testing::Client;
use serde_json::Value;

use crate::shop::Shop;

#[tokio::test]
async fn without_the_gateways_key_nothing_is_answered() {
    let shop = Shop::open().await;
    let (customer, _) = shop.customer("ada@example.com").await;
    let keyless = Client::without_key(shop.address());
    for (key, expected) in [
        (None, (401, "api_key_missing")),
        (Some("guess".to_owned()), (403, "api_key_refused")),
        (Some(shop.keys.of(Service::Order)), (403, "api_key_refused")),
    ] {
        let with = |client: &Client| {
            key.as_ref().map_or_else(|| client.clone(), |key| client.clone().with(headers::API_KEY, key))
        };
        for path in ["/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/logout"] {
            let answer = with(&keyless).post(path, Value::Null).await;
            assert_eq!((answer.status, answer.code()), expected, "{path}");
        }
        let answer = with(&keyless).get("/api/v1/auth/me").await;
        assert_eq!((answer.status, answer.code()), expected);
    }
    // The trusted headers are worth nothing beside a key that is not the gateway's.
    let forged = customer.with(headers::API_KEY, shop.keys.of(Service::Order));
    assert_eq!(forged.get("/api/v1/auth/me").await.status, 403);
}
