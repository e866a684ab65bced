//! Bodies of requests: within the limit, and passed on as they come.

use ecommerce_http::BODY_LIMIT;
use reqwest::Method;
use tokio::io::AsyncWriteExt as _;

use crate::raw;
use crate::shop::{Shop, received};

const LOGIN: &str = "POST /api/v1/auth/login";

fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

#[tokio::test]
async fn a_body_of_the_limit_passes_and_one_byte_more_does_not() {
    let shop = Shop::open().await;
    let ask = async |size: usize| shop.send(Method::POST, "/api/v1/auth/login", None, Some("x".repeat(size))).await;
    let whole = ask(BODY_LIMIT).await;
    assert_eq!(whole.body["body"].as_str().unwrap().len(), BODY_LIMIT);
    let answer = ask(BODY_LIMIT + 1).await;
    assert_eq!((answer.status, answer.code()), (413, "body_too_large"));
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_refused_before_the_body_comes() {
    let shop = Shop::open().await;
    for length in ["65537", "9223372036854775807"] {
        let answer = raw::ask(shop.address, LOGIN, &[&format!("Content-Length: {length}")]).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (413, Some("body_too_large")), "{length}");
    }
    assert_eq!(shop.auth.asked("/api/v1/auth/login"), 0);
}

#[tokio::test]
async fn a_body_of_undeclared_length_is_counted_as_it_comes() {
    let shop = Shop::open().await;
    let mut stream = raw::begin(shop.address, LOGIN, &["Transfer-Encoding: chunked"]).await;
    let kibibyte = chunk(&"x".repeat(1024));
    for _ in 0..=BODY_LIMIT / 1024 {
        stream.write_all(kibibyte.as_bytes()).await.unwrap();
    }
    let answer = raw::finish(stream).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (413, Some("body_too_large")));
}

#[tokio::test]
async fn a_body_of_undeclared_length_within_the_limit_passes_without_its_trailers() {
    let shop = Shop::open().await;
    let mut stream = raw::begin(shop.address, LOGIN, &["Transfer-Encoding: chunked", "Trailer: x-user-id"]).await;
    let body = format!("{}{}0\r\nx-user-id: forged\r\n\r\n", chunk("{\"a\":"), chunk("1}"));
    stream.write_all(body.as_bytes()).await.unwrap();
    let answer = raw::finish(stream).await;
    assert_eq!(answer.json()["body"], "{\"a\":1}");
    assert!(!answer.body.contains("forged"));
}

#[tokio::test]
async fn a_packed_body_is_refused_and_not_called_broken_json() {
    let shop = Shop::open().await;
    for coding in ["gzip", "br", "deflate, gzip"] {
        let header = format!("Content-Encoding: {coding}");
        let answer = raw::ask(shop.address, LOGIN, &[&header, "Content-Length: 0"]).await;
        let code = answer.json()["code"].as_str().map(str::to_owned);
        assert_eq!((answer.status, code.as_deref()), (415, Some("unsupported_content_encoding")), "{coding}");
    }
    let answer = raw::ask(shop.address, LOGIN, &["Content-Encoding: identity", "Content-Length: 0"]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn two_lengths_do_not_smuggle_a_second_request() {
    let shop = Shop::open().await;
    let smuggled = "GET /internal/products HTTP/1.1\r\nHost: x\r\n\r\n";
    let headers = ["Transfer-Encoding: chunked", &format!("Content-Length: {}", smuggled.len() + 5)];
    let mut stream = raw::begin(shop.address, LOGIN, &headers).await;
    stream.write_all(format!("0\r\n\r\n{smuggled}").as_bytes()).await.unwrap();
    let answer = raw::finish(stream).await;
    if answer.status == 200 {
        assert_eq!(answer.json()["body"], "");
        let framing = ["transfer-encoding", "content-length"].map(|name| received(&answer.json(), name).len());
        assert!(framing.iter().sum::<usize>() <= 1, "{framing:?}");
    } else {
        assert_eq!(answer.status, 400);
    }
    for upstream in [&shop.auth, &shop.product] {
        assert_eq!(upstream.asked("/internal/products"), 0);
    }
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_body_in_time_is_told_so() {
    let shop = Shop::open().await;
    let customer = shop.person("customer").await;
    let authorization = format!("Authorization: Bearer {}", customer.token);
    let mut stream =
        raw::begin(shop.address, "POST /api/v1/auth/logout", &[&authorization, "Content-Length: 10"]).await;
    stream.write_all(b"half").await.unwrap();
    let answer = raw::finish(stream).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (408, Some("body_too_slow")));
}
