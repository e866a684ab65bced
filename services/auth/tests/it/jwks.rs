//! `GET /.well-known/jwks.json`

use ecommerce_testing::Client;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn the_public_keys_are_for_everyone_and_are_public_alone() {
    let shop = Shop::open().await;
    let answer = Client::without_key(shop.address()).get("/.well-known/jwks.json").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("public, max-age=60")));
    let x = "6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"; // of the seed of the tests
    let kid = answer.body["keys"][0]["kid"].clone();
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x });
    assert_eq!(answer.body, json!({ "keys": [key] }));
}
