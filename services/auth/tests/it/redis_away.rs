//! What becomes of sessions while Redis is away, and after.

use std::time::Duration;

use ecommerce_redis::Session;
use ecommerce_testing::eventually;
use ecommerce_types::SessionId;
use serde_json::Value;

use crate::shop::{PASSWORD, Shop};

/// Sessions that have ended and that are published to Redis, or not.
async fn endings(shop: &Shop, published: bool) -> i64 {
    sqlx::query_scalar("select count(*) from sessions where ended_at is not null and (published_at is not null) = $1")
        .bind(published)
        .fetch_one(&shop.database.pool)
        .await
        .unwrap()
}

async fn ends(shop: &Shop, id: SessionId) {
    eventually("redis hears of the ending", || async { shop.sessions.get(id).await.unwrap().is_none().then_some(()) })
        .await;
}

#[tokio::test]
async fn without_redis_nobody_logs_in_and_no_session_is_left_behind() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    shop.to_redis.cut();
    let answer = shop.log_in("ada@example.com", PASSWORD).await;
    assert_eq!((answer.status, answer.code()), (503, "sessions_unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(endings(&shop, false).await, 1);
    // Who has no account hears nothing of it.
    assert_eq!(shop.log_in("ada@example.com", "wrong password").await.code(), "wrong_credentials");

    shop.to_redis.mend();
    eventually("logins work again", || async {
        (shop.log_in("ada@example.com", PASSWORD).await.status == 200).then_some(())
    })
    .await;
    eventually("redis has heard of all", || async { (endings(&shop, false).await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn a_logout_while_redis_is_away_is_told_when_it_is_back() {
    let shop = Shop::open().await;
    let (customer, claims) = shop.customer("ada@example.com").await;
    shop.to_redis.cut();
    assert_eq!(customer.post("/api/v1/auth/logout", Value::Null).await.status, 204);
    assert_eq!(customer.get("/api/v1/auth/me").await.code(), "session_ended");
    assert!(shop.sessions.get(claims.sid).await.unwrap().is_some());
    shop.to_redis.mend();
    ends(&shop, claims.sid).await;
    eventually("it is written down", || async { (endings(&shop, true).await == 1).then_some(()) }).await;
}

#[tokio::test]
async fn an_ending_that_redis_forgot_is_told_again_when_it_is_back() {
    let shop = Shop::open().await;
    let (customer, claims) = shop.customer("ada@example.com").await;
    assert_eq!(customer.post("/api/v1/auth/logout", Value::Null).await.status, 204);
    // Redis goes, and comes back in the state of a moment before.
    shop.to_redis.cut();
    let session = Session { user_id: claims.sub, roles_version: claims.ver };
    shop.sessions.put(claims.sid, &session, Duration::from_mins(1)).await.unwrap();
    shop.to_redis.mend();
    ends(&shop, claims.sid).await;
}

#[tokio::test]
async fn a_process_that_starts_tells_of_late_endings_since_it_has_not_seen_redis_go() {
    let shop = Shop::open().await;
    let (customer, claims) = shop.customer("ada@example.com").await;
    assert_eq!(customer.post("/api/v1/auth/logout", Value::Null).await.status, 204);
    let session = Session { user_id: claims.sub, roles_version: claims.ver };
    shop.sessions.put(claims.sid, &session, Duration::from_mins(1)).await.unwrap();
    shop.open_another(shop.config.clone()).await;
    ends(&shop, claims.sid).await;
}

#[tokio::test]
async fn an_ending_that_a_dead_process_did_not_tell_is_told_by_another() {
    let shop = Shop::open().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    sqlx::query("update sessions set ended_at = now()").execute(&shop.database.pool).await.unwrap();
    ends(&shop, claims.sid).await;
}

#[tokio::test]
async fn a_slow_redis_keeps_a_login_no_longer_than_its_time_limit() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    shop.to_redis.clog();
    let asked = std::time::Instant::now();
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.code(), "sessions_unavailable");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}
