//! What comes back, and what does when nothing comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use ecommerce_contract::Service;
use ecommerce_testing::eventually;
use futures::StreamExt as _;
use gateway::Config;
use reqwest::Method;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::shop::{PRODUCT, Shop};

#[tokio::test]
async fn a_piece_of_an_answer_reaches_the_client_before_the_next_is_sent() {
    let shop = Shop::open().await;
    let pieces = shop.product.pieces();
    let request = shop.http.get(format!("http://{}{PRODUCT}?answer=pieces", shop.address));
    let mut answer = request.send().await.unwrap().bytes_stream();
    for piece in ["one", "two"] {
        pieces.send(Bytes::from(piece)).unwrap();
        assert_eq!(answer.next().await.unwrap().unwrap(), piece);
    }
    drop(pieces);
    assert!(answer.next().await.is_none());
}

#[tokio::test]
async fn an_answer_that_stalls_is_broken_off() {
    let shop = Shop::open().await;
    let pieces = shop.product.pieces();
    pieces.send(Bytes::from("one")).unwrap();
    let request = shop.http.get(format!("http://{}{PRODUCT}?answer=pieces", shop.address));
    let mut answer = request.send().await.unwrap().bytes_stream();
    assert_eq!(answer.next().await.unwrap().unwrap(), "one");
    assert!(answer.next().await.unwrap().is_err());
    drop(pieces);
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_504() {
    let shop = Shop::open().await;
    let answer = shop.get(&format!("{PRODUCT}?answer=never"), None).await;
    assert_eq!((answer.status, answer.code()), (504, "answer_too_late"));
    assert_eq!(answer.body["detail"], serde_json::Value::Null);
}

#[tokio::test]
async fn what_is_for_the_client_arrives_and_nothing_else() {
    let shop = Shop::open().await;
    let answer = shop.get(&format!("{PRODUCT}?answer=rude"), None).await;
    assert_eq!(answer.header("etag"), Some("\"kept\""));
    for name in ["server", "x-powered-by", "connection", "x-hop", "keep-alive", "x-user-id", "x_api_key"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn tags_pass_both_ways() {
    let shop = Shop::open().await;
    let target = format!("http://{}{PRODUCT}?answer=tagged", shop.address);
    let answer = crate::shop::answer(shop.http.get(&target).send().await.unwrap()).await;
    assert_eq!((answer.status, answer.header("etag"), answer.bytes.as_slice()), (200, Some("\"v1\""), &b"fresh"[..]));
    let answer = shop.http.get(&target).header("if-none-match", "\"v1\"").send().await.unwrap();
    let answer = crate::shop::answer(answer).await;
    assert_eq!((answer.status, answer.header("etag"), answer.bytes.as_slice()), (304, Some("\"v1\""), &b""[..]));
}

#[tokio::test]
async fn a_head_is_answered_like_its_get_without_the_body() {
    let shop = Shop::open().await;
    let target = format!("{PRODUCT}?answer=tagged");
    let answer = shop.send(Method::HEAD, &target, None, None).await;
    assert_eq!((answer.status, answer.header("etag"), answer.bytes.len()), (200, Some("\"v1\""), 0));
    assert_eq!(answer.header("content-length"), Some("5"));
}

#[tokio::test]
async fn a_service_that_is_not_there_is_503() {
    // A port that was free a moment ago, and is not given out again so soon.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let shop = Shop::open_with(|config| config.upstreams.product_url = format!("http://{gone}").parse().unwrap()).await;
    for method in [Method::GET, Method::HEAD] {
        let answer = shop.send(method.clone(), PRODUCT, None, None).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{method}");
    }
    assert_eq!(shop.get(PRODUCT, None).await.code(), "service_unavailable");
}

/// A service that takes connections and hangs up on each after it has heard something.
async fn hangs_up() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, heard) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (url, heard)
}

#[tokio::test]
async fn a_look_up_is_sent_again_once_when_the_connection_breaks_and_a_write_without_a_key_is_not() {
    let (url, heard) = hangs_up().await;
    let to = |config: &mut Config| {
        config.upstreams.product_url = url.parse().unwrap();
        config.upstreams.order_url = url.parse().unwrap();
    };
    let shop = Shop::open_with(to).await;
    let answer = shop.get(PRODUCT, None).await;
    assert_eq!((answer.status, answer.code(), heard.swap(0, Ordering::SeqCst)), (502, "answer_broken", 2));

    let customer = shop.person("customer").await;
    for body in [None, Some("{}".to_owned())] {
        let answer = shop.send(Method::POST, "/api/v1/orders", Some(&customer), body).await;
        assert_eq!((answer.status, answer.code(), heard.swap(0, Ordering::SeqCst)), (502, "answer_broken", 1));
    }
}

#[tokio::test]
async fn a_write_with_a_key_is_sent_again_with_its_body_where_its_service_keeps_keys() {
    let (url, heard) = hangs_up().await;
    let to = |config: &mut Config| {
        config.upstreams.product_url = url.parse().unwrap();
        config.upstreams.order_url = url.parse().unwrap();
    };
    let shop = Shop::open_with(to).await;
    let staff = shop.person("staff").await;
    for (path, sent) in [("/api/v1/orders", 2), ("/api/v1/products", 1)] {
        let request = shop.http.post(format!("http://{}{path}", shop.address)).bearer_auth(&staff.token);
        let request = request.header("content-type", "application/json").header("idempotency-key", "once").body("{}");
        let answer = crate::shop::answer(request.send().await.unwrap()).await;
        assert_eq!(
            (answer.status, answer.code(), heard.swap(0, Ordering::SeqCst)),
            (502, "answer_broken", sent),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_key_that_a_service_does_not_know_is_our_fault_and_a_new_one_is_taken_up_without_a_restart() {
    let shop = Shop::open().await;
    let customer = shop.person("customer").await;
    shop.keys.send(Service::Gateway, Service::Order, &"wrong".repeat(10));
    let refused = async || {
        let answer = shop.get("/api/v1/orders", Some(&customer)).await;
        (answer.status != 200).then_some(answer)
    };
    let answer = eventually("the wrong key is read", refused).await;
    assert_eq!((answer.status, answer.code(), answer.header("x-edge-refused")), (503, "service_unavailable", None));
    shop.keys.send(Service::Gateway, Service::Order, &shop.keys.of(Service::Gateway));
    let answered = async || (shop.get("/api/v1/orders", Some(&customer)).await.status == 200).then_some(());
    eventually("the right key is read", answered).await;
}

#[tokio::test]
async fn a_look_up_ends_with_its_client_and_a_write_goes_on() {
    let shop = Shop::open().await;
    let look_up = crate::raw::begin(shop.address, &format!("GET {PRODUCT}?answer=when-told"), &[]).await;
    let write =
        crate::raw::begin(shop.address, "POST /api/v1/auth/login?answer=when-told", &["Content-Length: 0"]).await;
    let asked = || async { (shop.product.asked(PRODUCT) + shop.auth.asked("/api/v1/auth/login") == 2).then_some(()) };
    eventually("both services are asked", asked).await;
    drop((look_up, write));
    eventually("the look-up is dropped", || async { (shop.product.asked("dropped") == 1).then_some(()) }).await;
    shop.auth.seen.told.notify_one();
    eventually("the write is done", || async { (shop.auth.asked("done") == 1).then_some(()) }).await;
}
