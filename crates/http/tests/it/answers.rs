//! What every answer has, whatever the handler.

use ecommerce_contract::Service;
use ecommerce_testing::Client;
use reqwest::Method;

use crate::site::Site;

#[tokio::test]
async fn a_handler_that_panics_has_answered_500_under_the_requests_id() {
    let site = Site::open().await;
    let client = Client::anonymous(site.address, &site.keys);
    for method in [Method::GET, Method::POST] {
        let answer = client.send(method.clone(), "/panics", None).await;
        assert_eq!((answer.status, answer.code()), (500, "internal"), "{method}");
        assert_eq!(answer.body["request_id"].as_str(), answer.header("x-request-id"), "{method}");
    }
    assert_eq!(client.get("/hello").await.status, 200, "the process lives");
}

#[tokio::test]
async fn an_answer_is_nobodys_to_keep_unless_it_says_so_and_nobodys_to_guess_at() {
    let site = Site::open().await;
    let client = Client::anonymous(site.address, &site.keys);
    for (path, kept) in [("/hello", "no-store"), ("/kept", "public, max-age=60"), ("/nowhere", "no-store")] {
        let answer = client.get(path).await;
        assert_eq!(answer.header("cache-control"), Some(kept), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[tokio::test]
async fn a_requests_id_is_believed_beside_a_key_alone() {
    let site = Site::open().await;
    let gateway = Client::anonymous(site.address, &site.keys).with("x-request-id", "r-1");
    assert_eq!(gateway.get("/id").await.bytes, b"r-1");
    let nobody = Client::without_key(site.address).with("x-request-id", "r-1");
    assert_ne!(nobody.get("/id").await.header("x-request-id"), Some("r-1"));
    let wrong = nobody.with("x-api-key", "w".repeat(43));
    assert_ne!(wrong.get("/id").await.header("x-request-id"), Some("r-1"));
    let order = Client::without_key(site.address).with("x-api-key", site.keys.of(Service::Order));
    assert_eq!(order.with("x-request-id", "r-2").get("/internal").await.header("x-request-id"), Some("r-2"));
}
