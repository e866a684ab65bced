//! What a client says of itself is not believed, however it is spelled.

use ecommerce_contract::Service;
use reqwest::Method;

use crate::raw;
use crate::shop::{PRODUCT, Shop, received};

const NAMES: [&str; 6] = ["x-user-id", "x-user-roles", "x-session-id", "x-api-key", "x-request-id", "x-client-address"];

/// Every way of writing a name that some server somewhere takes for it.
fn spellings(name: &str) -> [String; 6] {
    let capitals: Vec<String> =
        name.split('-').map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..])).collect();
    [
        name.to_owned(),
        name.to_uppercase(),
        capitals.join("-"),
        name.replace('-', "_"),
        capitals.join("_"),
        format!("{}-{}", capitals[0], capitals[1..].join("_")),
    ]
}

fn assert_untouched(echo: &serde_json::Value, sent: &str) {
    for pair in echo["headers"].as_array().unwrap_or_else(|| panic!("{sent}: no echo: {echo}")) {
        assert!(!pair[1].as_str().unwrap().contains("forged"), "{sent}: {pair}");
        assert!(!pair[0].as_str().unwrap().contains('_'), "{sent}: {pair}");
    }
}

#[tokio::test]
async fn a_forged_header_in_any_spelling_reaches_no_service() {
    let shop = Shop::open().await;
    for spelling in NAMES.iter().flat_map(|name| spellings(name)) {
        let forged = format!("{spelling}: forged");
        let answer = raw::ask(shop.address, &format!("GET {PRODUCT}"), &[&forged, &forged]).await;
        assert_eq!(answer.status, 200, "{forged}");
        assert_untouched(&answer.json(), &forged);
    }
}

#[tokio::test]
async fn a_forged_header_gives_no_rights() {
    let shop = Shop::open().await;
    let customer = shop.person("customer").await;
    let authorization = format!("Authorization: Bearer {}", customer.token);
    for spelling in spellings("x-user-roles") {
        let forged = format!("{spelling}: admin");
        let answer = raw::ask(shop.address, &format!("DELETE {PRODUCT}"), &[&authorization, &forged]).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("role_required")), "{forged}");
        let answer = raw::ask(shop.address, "GET /api/v1/auth/me", &[&authorization, &forged]).await;
        assert_eq!(received(&answer.json(), "x-user-roles"), ["customer"], "{forged}");
        let answer = raw::ask(shop.address, "GET /api/v1/auth/me", &[&forged]).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("login_required")), "{forged}");
    }
}

#[tokio::test]
async fn a_header_listed_in_connection_is_gone_and_the_gateways_own_is_not() {
    let shop = Shop::open().await;
    let customer = shop.person("customer").await;
    let authorization = format!("Authorization: Bearer {}", customer.token);
    for listed in NAMES.iter().flat_map(|name| spellings(name)) {
        let connection = format!("Connection: close, {listed}, x-other");
        let headers = [authorization.as_str(), &connection, "X-Other: forged", &format!("{listed}: forged")];
        let answer = raw::ask(shop.address, "GET /api/v1/auth/me", &headers).await;
        let echo = answer.json();
        assert_untouched(&echo, &connection);
        assert_eq!(received(&echo, "connection"), [""; 0]);
        assert_eq!(received(&echo, "x-user-id"), [customer.claims.sub.to_string()], "{connection}");
        assert_eq!(received(&echo, "x-user-roles"), ["customer"], "{connection}");
        assert_eq!(received(&echo, "x-session-id"), [customer.claims.sid.to_string()], "{connection}");
        assert_eq!(received(&echo, "x-api-key"), [shop.keys.of(Service::Gateway)], "{connection}");
        assert_eq!(received(&echo, "x-request-id").len(), 1, "{connection}");
    }
}

#[tokio::test]
async fn listing_the_token_in_connection_logs_out_and_not_in() {
    let shop = Shop::open().await;
    let customer = shop.person("customer").await;
    let authorization = format!("Authorization: Bearer {}", customer.token);
    let headers = [authorization.as_str(), "Connection: close, authorization"];
    assert_eq!(raw::ask(shop.address, "GET /api/v1/auth/me", &headers).await.status, 401);
}

#[tokio::test]
async fn the_way_of_a_request_is_what_the_gateway_has_seen_of_it() {
    let shop = Shop::open().await;
    let headers = [
        "X-Forwarded-For: forged",
        "x_forwarded_for: forged",
        "X-Forwarded-Host: forged",
        "X-Forwarded-Proto: forged",
        "Forwarded: for=forged",
        "X-Real-IP: forged",
        "X-Original-URL: forged",
        "X-HTTP-Method-Override: forged",
        "Cookie: forged",
        "HTTP2-Settings: forged",
    ];
    let echo = raw::ask(shop.address, &format!("GET {PRODUCT}"), &headers).await.json();
    assert_untouched(&echo, "x-forwarded");
    assert_eq!(received(&echo, "x-client-address"), ["127.0.0.1"]);
    assert_eq!(received(&echo, "host"), [shop.product.url.strip_prefix("http://").unwrap()]);
}

#[tokio::test]
async fn the_token_ends_at_the_gateway() {
    let shop = Shop::open().await;
    let customer = shop.person("customer").await;
    for path in ["/api/v1/auth/me", PRODUCT] {
        let answer = shop.get(path, Some(&customer)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(received(&answer.body, "authorization"), [""; 0]);
    }
}

#[tokio::test]
async fn what_a_client_says_of_its_request_reaches_the_service() {
    let shop = Shop::open().await;
    let customer = shop.person("customer").await;
    let request = shop.http.request(Method::POST, format!("http://{}/api/v1/orders", shop.address));
    let request = request.bearer_auth(&customer.token).header("idempotency-key", "once").header("if-match", "\"3\"");
    let request = request.header("content-type", "application/json").body(r#"{"items":[]}"#);
    let answer = crate::shop::answer(request.send().await.unwrap()).await;
    assert_eq!(answer.body["service"], "order");
    assert_eq!(answer.body["body"], r#"{"items":[]}"#);
    for (name, value) in [
        ("idempotency-key", "once"),
        ("if-match", "\"3\""),
        ("content-type", "application/json"),
        ("content-length", "12"),
    ] {
        assert_eq!(received(&answer.body, name), [value]);
    }
}

#[tokio::test]
async fn behind_a_proxy_of_ours_a_clients_address_is_what_the_proxy_has_seen() {
    let shop = Shop::open_with(|config| config.trusted_proxies = 1).await;
    let headers = ["X-Forwarded-For: 6.6.6.6, 192.0.2.7"];
    let echo = raw::ask(shop.address, &format!("GET {PRODUCT}"), &headers).await.json();
    assert_eq!(received(&echo, "x-client-address"), ["192.0.2.7"]);
}
