//! What becomes of sessions while Redis is away, and after.

use std::time::{Duration, Instant};

use ecommerce_redis::Session;
use ecommerce_testing::redis::Server;
use ecommerce_testing::{eventually, figure, scale};
use ecommerce_types::SessionId;
use serde_json::{Value, json};

use crate::shop::{PASSWORD, Shop};

/// Sessions that have ended and that Redis has been told of, or not.
async fn endings(shop: &Shop, told: bool) -> i64 {
    sqlx::query_scalar("select count(*) from sessions where ended_at is not null and unpublished = not $1")
        .bind(told)
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
    let begun: i64 = sqlx::query_scalar("select count(*) from sessions").fetch_one(&shop.database.pool).await.unwrap();
    assert_eq!(begun, 0);
    // Who has no account hears nothing of it.
    assert_eq!(shop.log_in("ada@example.com", "wrong password").await.code(), "wrong_credentials");

    shop.to_redis.mend();
    eventually("logins work again", || async {
        (shop.log_in("ada@example.com", PASSWORD).await.status == 200).then_some(())
    })
    .await;
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

/// Redis dies, and comes back in the state of a moment before. Who believes it only once it is complete lets nobody in.
#[tokio::test]
async fn what_redis_forgot_it_has_been_told_of_once_more_before_it_is_called_complete() {
    let mut redis = Server::start().await;
    let shop = Shop::open_on(&redis).await;
    let (admin, claims) = shop.admin().await;
    for kill in 0..scale(5, 2) {
        eventually("redis is told", || async { shop.sessions.are_complete().await.unwrap_or(false).then_some(()) })
            .await;
        let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
            "insert into sessions (id, user_id, created_at, expires_at, refreshed_at)
             select gen_random_uuid(), $1, now(), now() + interval '1 hour', now() from generate_series(1, $2) returning id",
        )
        .bind(claims.sub.0)
        .bind(i64::try_from(scale(2_000, 200)).unwrap())
        .fetch_all(&shop.database.pool)
        .await
        .unwrap();
        let session = Session { user_id: claims.sub, roles_version: claims.ver };
        for id in &ids {
            shop.sessions.put(SessionId(*id), &session, Duration::from_mins(10)).await.unwrap();
        }
        let before = redis.disk();
        // As a password that is set with a link ends them.
        let link = admin.post(&format!("/api/v1/users/{}/password-reset", claims.sub), Value::Null).await;
        let reset = json!({ "token": link.body["token"], "password": PASSWORD });
        assert_eq!(shop.anonymous.post("/api/v1/auth/password/reset", reset).await.status, 204);

        redis.kill();
        redis.put_back(&before);
        redis.start_again().await;
        let began = Instant::now();
        let standing = async || {
            let mut standing = 0;
            for id in &ids {
                standing += usize::from(shop.sessions.get(SessionId(*id)).await.is_ok_and(|session| session.is_some()));
            }
            standing
        };
        eventually("redis is told", || async { shop.sessions.are_complete().await.unwrap_or(false).then_some(()) })
            .await;
        figure("redis is complete after it answers again", format!("{:?}", began.elapsed()));
        assert_eq!(standing().await, 0, "kill {kill}");
    }
}

#[tokio::test]
async fn a_process_that_starts_tells_a_redis_that_nobody_has_told() {
    let mut redis = Server::start().await;
    let shop = Shop::open_on(&redis).await;
    let (customer, claims) = shop.customer("ada@example.com").await;
    let before = redis.disk();
    assert_eq!(customer.post("/api/v1/auth/logout", Value::Null).await.status, 204);
    shop.to_redis.cut();
    redis.kill();
    redis.put_back(&before);
    redis.start_again().await;
    eventually("redis answers", || async { shop.sessions.get(claims.sid).await.ok().flatten() }).await;
    assert!(!shop.sessions.are_complete().await.unwrap());
    let mut config = shop.config.clone();
    config.redis.redis_url = redis.url().into();
    shop.open_another(config).await;
    ends(&shop, claims.sid).await;
    eventually("it is complete", || async { shop.sessions.are_complete().await.unwrap().then_some(()) }).await;
}

/// Telling once more neither revives a session nor lets it stand longer.
#[tokio::test]
async fn roles_that_redis_forgot_are_told_once_more_and_nothing_is_revived() {
    let mut redis = Server::start().await;
    let shop = Shop::open_on(&redis).await;
    let (admin, _) = shop.admin().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    let (_, gone) = shop.person(&shop.log_in("ada@example.com", PASSWORD).await).await;
    shop.sessions.remove(&[gone.sid]).await.unwrap();
    let before = redis.disk();
    let roles = json!({ "roles": ["staff"] }).to_string();
    let path = format!("/api/v1/users/{}/roles", claims.sub);
    assert_eq!(admin.send(reqwest::Method::PUT, &path, Some(roles)).await.status, 200);
    redis.kill();
    redis.put_back(&before);
    redis.start_again().await;
    eventually("redis is told", || async { shop.sessions.are_complete().await.unwrap_or(false).then_some(()) }).await;
    assert_eq!(shop.sessions.get(claims.sid).await.unwrap().unwrap().roles_version, 2);
    assert_eq!(shop.sessions.get(gone.sid).await.unwrap(), None);
}

#[tokio::test]
async fn an_ending_that_a_dead_process_did_not_tell_is_told_by_another() {
    let shop = Shop::open().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    sqlx::query("update sessions set ended_at = now(), unpublished = true").execute(&shop.database.pool).await.unwrap();
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
