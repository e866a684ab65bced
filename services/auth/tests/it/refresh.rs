//! `POST /api/v1/auth/refresh`

use ecommerce_redis::Session;
use ecommerce_testing::{Answer, scale};
use serde_json::{Value, json};
use time::Duration;
use tokio::task::JoinSet;

use crate::shop::{PASSWORD, Shop};

fn refresh_token(answer: &Answer) -> String {
    answer.body["refresh_token"].as_str().unwrap_or_else(|| panic!("no refresh token in {}", answer.body)).to_owned()
}

async fn login(shop: &Shop) -> Answer {
    shop.register("ada@example.com").await;
    shop.log_in("ada@example.com", PASSWORD).await
}

#[tokio::test]
async fn each_refresh_gives_the_next_tokens_of_the_same_session() {
    let shop = Shop::open().await;
    let mut last = login(&shop).await;
    let first = shop.claims(&last).await;
    for _ in 0..5 {
        let next = shop.refresh(&refresh_token(&last)).await;
        let claims = shop.claims(&next).await;
        assert_eq!((claims.sid, claims.sub), (first.sid, first.sub));
        assert_ne!(refresh_token(&next), refresh_token(&last));
        assert_eq!(next.header("cache-control"), Some("no-store"));
        last = next;
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_once_more_for_ten_seconds() {
    let shop = Shop::open_at_rest().await;
    let first = refresh_token(&login(&shop).await);
    let second = refresh_token(&shop.refresh(&first).await);
    shop.clock.advance(Duration::seconds(10));
    assert_eq!(refresh_token(&shop.refresh(&first).await), second);
    let third = refresh_token(&shop.refresh(&second).await);
    assert_ne!(third, second);
    assert_eq!(refresh_token(&shop.refresh(&second).await), third);
}

#[tokio::test]
async fn a_token_that_was_used_before_ends_the_session_for_whoever_holds_it() {
    for (name, later, uses) in [("late", 11, 1), ("two generations back", 0, 2)] {
        let shop = Shop::open_at_rest().await;
        let answer = login(&shop).await;
        let claims = shop.claims(&answer).await;
        let stolen = refresh_token(&answer);
        let mut present = stolen.clone();
        for _ in 0..uses {
            present = refresh_token(&shop.refresh(&present).await);
        }
        shop.clock.advance(Duration::seconds(later));
        for token in [&stolen, &present] {
            let answer = shop.refresh(token).await;
            assert_eq!((answer.status, answer.code()), (401, "session_ended"), "{name}");
        }
        assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None, "{name}");
    }
}

#[tokio::test]
async fn of_fifty_at_once_one_rotates_and_all_get_its_successor() {
    let shop = Shop::open().await;
    let mut token = refresh_token(&login(&shop).await);
    for round in 0..scale(1_000, 100) {
        let mut asking = JoinSet::new();
        for _ in 0..50 {
            let (client, body) = (shop.anonymous.clone(), json!({ "refresh_token": token }));
            asking.spawn(async move { client.post("/api/v1/auth/refresh", body).await });
        }
        let mut successors: Vec<String> = asking.join_all().await.iter().map(refresh_token).collect();
        successors.sort();
        successors.dedup();
        assert_eq!(successors.len(), 1, "round {round}");
        token = successors.remove(0);
    }
    let generation: i32 =
        sqlx::query_scalar("select generation from sessions").fetch_one(&shop.database.pool).await.unwrap();
    assert_eq!(generation, i32::try_from(scale(1_000, 100)).unwrap());
}

#[tokio::test]
async fn an_emptied_redis_costs_a_refresh_and_not_a_login() {
    let shop = Shop::open().await;
    let answer = login(&shop).await;
    let claims = shop.claims(&answer).await;
    shop.sessions.remove(&[claims.sid]).await.unwrap();
    assert_eq!(shop.refresh(&refresh_token(&answer)).await.status, 200);
    let held = shop.sessions.get(claims.sid).await.unwrap();
    assert_eq!(held, Some(Session { user_id: claims.sub, roles_version: 1 }));
}

/// A client that tries again for as long as Redis is away holds the token that was good before.
#[tokio::test]
async fn a_refresh_that_redis_does_not_take_uses_nothing_up() {
    let shop = Shop::open_at_rest().await;
    let answer = login(&shop).await;
    shop.to_redis.cut();
    for _ in 0..3 {
        let refused = shop.refresh(&refresh_token(&answer)).await;
        assert_eq!((refused.status, refused.code()), (503, "sessions_unavailable"));
        shop.clock.advance(Duration::minutes(1));
    }
    shop.to_redis.mend();
    ecommerce_testing::eventually("refreshes work again", || async {
        (shop.refresh(&refresh_token(&answer)).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn after_its_end_a_session_gives_no_more_tokens() {
    let shop = Shop::open_at_rest().await;
    let answer = login(&shop).await;
    let (ada, claims) = shop.person(&answer).await;
    assert_eq!(ada.post("/api/v1/auth/logout", Value::Null).await.status, 204);
    assert_eq!(shop.refresh(&refresh_token(&answer)).await.code(), "session_ended");
    assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None, "nor is it put back");

    let answer = shop.log_in("ada@example.com", PASSWORD).await;
    shop.clock.advance(Duration::hours(2));
    assert_eq!(shop.refresh(&refresh_token(&answer)).await.code(), "session_ended", "its time is over");
}

/// Whoever is later, an ended session is in Redis no more.
#[tokio::test]
async fn a_refresh_beside_a_logout_leaves_no_session() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    for round in 0..scale(1_000, 50) {
        let answer = shop.log_in("ada@example.com", PASSWORD).await;
        let (ada, claims) = shop.person(&answer).await;
        let token = refresh_token(&answer);
        // Once in two the one before, which rotates nothing.
        if round % 2 == 1 {
            assert_eq!(shop.refresh(&token).await.status, 200);
        }
        let (_, out) = tokio::join!(shop.refresh(&token), ada.post("/api/v1/auth/logout", Value::Null));
        assert_eq!(out.status, 204);
        assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None, "round {round}");
    }
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused() {
    let shop = Shop::open().await;
    let token = refresh_token(&login(&shop).await);
    let access = shop.log_in("ada@example.com", PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
    for wrong in ["", "x", &token[1..], &token.to_lowercase(), &access, &"A".repeat(60_000)] {
        let answer = shop.refresh(wrong).await;
        assert_eq!((answer.status, answer.code()), (401, "session_ended"), "{wrong:.40}");
    }
    for body in [
        json!({}),
        json!({ "refresh_token": null }),
        json!({ "refresh_token": 1 }),
        json!({ "refresh_token": token, "x": 1 }),
    ] {
        let answer = shop.anonymous.post("/api/v1/auth/refresh", body.clone()).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_body"), "{body}");
    }
    assert_eq!(shop.refresh(&token).await.status, 200);
}
