//! `DELETE /api/v1/auth/me`

use reqwest::Method;

use crate::shop::{PASSWORD, Shop};

#[tokio::test]
async fn a_person_takes_their_account_away_and_nobody_elses() {
    let shop = Shop::open().await;
    let (ada, claims) = shop.customer("ada@example.com").await;
    let (bob, _) = shop.customer("bob@example.com").await;
    assert_eq!(ada.send(Method::DELETE, "/api/v1/auth/me", None).await.status, 204);
    assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None);
    assert_eq!(ada.get("/api/v1/auth/me").await.code(), "session_ended");
    assert_eq!(ada.send(Method::DELETE, "/api/v1/auth/me", None).await.code(), "user_not_found");
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.code(), "wrong_credentials");
    assert_eq!(bob.get("/api/v1/auth/me").await.status, 200);
    let again = shop.register("ada@example.com").await;
    assert_eq!(again.status, 201);
    assert_ne!(again.body["id"], claims.sub.to_string());
}
