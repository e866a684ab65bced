//! Headers, limits, encodings.

use e2e::Person;
use e2e::person::unique;
use reqwest::Method;
use serde_json::json;

/// `{"items":[]}`, compressed by gzip.
const COMPRESSED: [u8; 32] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0xca, 0x2c, 0x49, 0xcd, 0x2d, 0x56, 0xb2,
    0x8a, 0x8e, 0xad, 0x05, 0x00, 0x1d, 0x1f, 0x43, 0xea, 0x0c, 0x00, 0x00, 0x00,
];

/// A client compressed its bodies and was told that its JSON is broken: <https://github.com/datacite/lupo/issues/712>,
/// <https://github.com/HarperFast/harper/issues/1438>. What is not taken is called by its name (RFC 9110, section 15.5.16).
#[tokio::test]
async fn a_compressed_body_is_refused_as_such_and_not_as_broken_json() {
    let ada = Person::customer().await;
    let headers = [("content-encoding", "gzip"), ("idempotency-key", &unique())];
    let refused = ada.post_bytes("/api/v1/orders", &headers, COMPRESSED.to_vec()).await;
    assert_eq!(refused.status, 415, "{}", refused.body);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
}

/// Windows' tools put a byte order mark before the JSON, and were told of an "expected value at line 1 column 1":
/// <https://github.com/Badgerati/Pode/issues/1604>, <https://github.com/axodotdev/axoasset/pull/87>.
#[tokio::test]
async fn a_byte_order_mark_before_the_json_is_passed_over() {
    let product = Person::admin().await.sell(5).await;
    let ada = Person::customer().await;
    let body = json!({ "items": [{ "product_id": product, "quantity": 1 }] });
    let marked = format!("\u{feff}{body}").into_bytes();
    let placed = ada.post_bytes("/api/v1/orders", &[("idempotency-key", &unique())], marked).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
}

/// Monitors ask with HEAD, got 404 or 405 and raised an alarm: <https://github.com/passbolt/passbolt_api/issues/507>,
/// <https://github.com/24eme/signaturepdf/issues/191>.
#[tokio::test]
async fn head_is_answered_as_get_without_its_body() {
    let product = Person::admin().await.sell(5).await;
    let nobody = Person::nobody();
    for path in [
        "/api/v1/products?limit=1".to_owned(),
        format!("/api/v1/products/{product}"),
        "/api/v1/products/0192d1b2-0000-7000-8000-000000000001".to_owned(),
        "/openapi.json".to_owned(),
    ] {
        let (get, head) = (nobody.get(&path).await, nobody.send(Method::HEAD, &path, &[], None).await);
        assert_eq!((head.status, head.header("content-type")), (get.status, get.header("content-type")), "{path}");
        assert!(get.header("content-type").is_some() && !get.bytes.is_empty() && head.bytes.is_empty(), "{path}");
    }
}

/// Cookies that other pages of the same domain had left made each request fail without a word:
/// <https://github.com/TwiN/gatus/issues/636>, <https://github.com/SalesforceCommerceCloud/pwa-kit/issues/2160>.
#[tokio::test]
async fn headers_that_are_too_large_are_refused_with_a_problem_document() {
    let cookie = format!("left={}", "x".repeat(16 * 1024));
    let nobody = Person::nobody();
    let refused = nobody.send(Method::GET, "/api/v1/products?limit=1", &[("cookie", &cookie)], None).await;
    assert_eq!(refused.status, 431, "{}", refused.body);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert!(!refused.code().is_empty() && refused.body["detail"].is_string(), "{}", refused.body);
    let usual = format!("left={}", "x".repeat(4 * 1024));
    assert_eq!(nobody.send(Method::GET, "/api/v1/products?limit=1", &[("cookie", &usual)], None).await.status, 200);
}
