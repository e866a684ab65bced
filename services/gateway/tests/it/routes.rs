//! What is in the table is there, byte for byte; what is not is not.

use reqwest::Method;

use crate::raw;
use crate::shop::{PRODUCT, Shop};

#[tokio::test]
async fn what_is_not_in_the_table_is_not_there() {
    let shop = Shop::open().await;
    let admin = shop.person("admin").await;
    for path in ["/", "/api", "/api/v1", "/api/v2/products", "/metrics", "/livez", "/api/v1/carts", "/favicon.ico"] {
        let answer = shop.get(path, Some(&admin)).await;
        assert_eq!((answer.status, answer.code()), (404, "route_not_found"), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_inside() {
    let shop = Shop::open().await;
    for path in [
        "/internal/products",
        "/internal/products?ids=1",
        "//internal/products",
        "/INTERNAL/products",
        "/%69nternal/products",
        "/api/v1/products/../../../internal/products",
        "/api/v1/products/..",
        "/api/v1/products/.",
        "/api/v1/products/%2e%2e",
        "/api/v1/products/..%2f..%2finternal",
        "/api/v1/products/..%5cinternal",
        "/api/v1/products/a%2fstock",
        "/api/v1/products/..;/internal",
        "/api/v1//products",
        "/api/v1/products/",
        "/api/v1/orders/%00",
        "/./internal/products",
    ] {
        let answer = raw::ask(shop.address, &format!("GET {path}"), &[]).await;
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status, code.as_str()), (404, "route_not_found"), "{path}");
    }
    for upstream in [&shop.auth, &shop.product, &shop.order, &shop.payment] {
        let paths = upstream.seen.paths.lock().unwrap();
        assert!(paths.iter().all(|path| path == "/.well-known/jwks.json" || path == "/api/v1/auth/me"), "{paths:?}");
    }
}

#[tokio::test]
async fn a_method_that_a_route_does_not_know_is_refused() {
    let shop = Shop::open().await;
    let answer = shop.send(Method::PUT, "/api/v1/orders", None, None).await;
    assert_eq!((answer.status, answer.code()), (405, "method_not_allowed"));
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[tokio::test]
async fn the_target_arrives_as_it_was_written() {
    let shop = Shop::open().await;
    for target in [
        format!("{PRODUCT}?q=a%20b+c&q=%2F..%2f&empty=&flag&x=%FF"),
        format!("{PRODUCT}?"),
        "/api/v1/products?cursor=eyJhIjoxfQ==&q=caf%C3%A9&sort=price,-name".to_owned(),
        "/api/v1/products/no-uuid_but~plain.".to_owned(),
    ] {
        let answer = raw::ask(shop.address, &format!("GET {target}"), &[]).await;
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(answer.json()["target"], target);
    }
}

#[tokio::test]
async fn a_target_that_names_its_host_is_answered_and_one_that_names_another_is_not() {
    let shop = Shop::open().await;
    let answer = raw::ask(shop.address, &format!("GET http://shop.example{PRODUCT}"), &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["service"], "product");
    assert_eq!(answer.json()["target"], PRODUCT);
    let answer = raw::ask(shop.address, &format!("GET http://elsewhere.example{PRODUCT}"), &[]).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("host_unclear")));
    let answer = raw::ask(shop.address, &format!("GET {PRODUCT}"), &["Host: elsewhere.example"]).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("host_unclear")));
}

#[tokio::test]
async fn a_gateway_is_ready_once_it_knows_the_keys_of_tokens() {
    let shop = Shop::open_before_auth().await;
    let ready = || async {
        let answer = shop.http.get(format!("http://{}/readyz", shop.operations_address)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let says = |what: &'static str, status: u16| {
        ecommerce_testing::eventually(what, move || async move {
            (ready().await == (status, what.to_owned())).then_some(())
        })
    };
    says("not reached yet: auth\n", 503).await;
    *shop.auth.seen.jwks.lock().unwrap() = Some(crate::shop::signer(7).jwks());
    says("ready\n", 200).await;
}

#[tokio::test]
async fn a_gateway_that_reaches_no_redis_is_not_ready_and_says_so() {
    let shop = Shop::open_away_from_redis().await;
    ecommerce_testing::eventually("it says what it lacks", || async {
        let answer = shop.http.get(format!("http://{}/readyz", shop.operations_address)).send().await.unwrap();
        let says = (answer.status().as_u16(), answer.text().await.unwrap());
        (says == (503, "not reached yet: Redis\n".to_owned())).then_some(())
    })
    .await;
}

#[tokio::test]
async fn health_is_on_the_second_port() {
    let shop = Shop::open().await;
    ecommerce_testing::eventually("it is ready", || async {
        let answer = shop.http.get(format!("http://{}/readyz", shop.operations_address)).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    for path in ["/livez", "/readyz", "/metrics"] {
        let answer = shop.http.get(format!("http://{}{path}", shop.operations_address)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
}
