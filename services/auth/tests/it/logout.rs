//! `POST /api/v1/auth/logout`

use ecommerce_contract::headers;
use serde_json::Value;

use crate::shop::{PASSWORD, Shop};

const PATH: &str = "/api/v1/auth/logout";

#[tokio::test]
async fn a_logout_ends_the_session_and_no_other() {
    let shop = Shop::open().await;
    let (customer, first) = shop.customer("ada@example.com").await;
    let (_, second) = shop.person(&shop.log_in("ada@example.com", PASSWORD).await).await;
    let answer = customer.post(PATH, Value::Null).await;
    assert_eq!((answer.status, answer.bytes.len()), (204, 0));
    assert_eq!(shop.sessions.get(first.sid).await.unwrap(), None);
    assert!(shop.sessions.get(second.sid).await.unwrap().is_some());
    assert_eq!(customer.get("/api/v1/auth/me").await.code(), "session_ended");
}

#[tokio::test]
async fn a_second_logout_is_as_the_first() {
    let shop = Shop::open().await;
    let (customer, _) = shop.customer("ada@example.com").await;
    for _ in 0..2 {
        assert_eq!(customer.post(PATH, Value::Null).await.status, 204);
    }
}

#[tokio::test]
async fn nobody_ends_the_session_of_another() {
    let shop = Shop::open().await;
    let (ada, claims) = shop.customer("ada@example.com").await;
    let (bob, _) = shop.customer("bob@example.com").await;
    let crossed = bob.with(headers::SESSION_ID, claims.sid.to_string());
    assert_eq!(crossed.post(PATH, Value::Null).await.status, 204);
    assert!(shop.sessions.get(claims.sid).await.unwrap().is_some());
    assert_eq!(ada.get("/api/v1/auth/me").await.status, 200);
}

#[tokio::test]
async fn who_is_not_logged_in_cannot_log_out() {
    let shop = Shop::open().await;
    let answer = shop.anonymous.post(PATH, Value::Null).await;
    assert_eq!((answer.status, answer.code()), (401, "login_required"));
}
