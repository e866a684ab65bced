//! `/api/v1/auth/password`: changed, forgotten, set with a link.

use ecommerce_testing::{Answer, Client};
use serde_json::{Value, json};
use time::Duration;

use crate::shop::{PASSWORD, Shop};

const NEW: &str = "a horse of another colour";

async fn change(client: &Client, current: &str, new: &str) -> Answer {
    client.post("/api/v1/auth/password", json!({ "current_password": current, "new_password": new })).await
}

async fn reset(shop: &Shop, token: &Value, password: &str) -> Answer {
    shop.anonymous.post("/api/v1/auth/password/reset", json!({ "token": token, "password": password })).await
}

async fn link(admin: &Client, user: &str) -> Value {
    let answer = admin.post(&format!("/api/v1/users/{user}/password-reset"), Value::Null).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["token"].clone()
}

#[tokio::test]
async fn who_knows_the_password_changes_it_and_the_other_sessions_end() {
    let shop = Shop::open().await;
    let (ada, own) = shop.customer("ada@example.com").await;
    let other_login = shop.log_in("ada@example.com", PASSWORD).await;
    let other = shop.claims(&other_login).await;
    let refused = change(&ada, "a guess", NEW).await;
    assert_eq!((refused.status, refused.code()), (422, "wrong_password"));
    assert_eq!(change(&ada, PASSWORD, NEW).await.status, 204);
    assert_eq!(shop.sessions.get(other.sid).await.unwrap(), None);
    assert_eq!(shop.refresh(other_login.body["refresh_token"].as_str().unwrap()).await.code(), "session_ended");
    assert!(shop.sessions.get(own.sid).await.unwrap().is_some());
    assert_eq!(ada.get("/api/v1/auth/me").await.status, 200);
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.code(), "wrong_credentials");
    assert_eq!(shop.log_in("ada@example.com", NEW).await.status, 200);
}

#[tokio::test]
async fn a_new_password_keeps_the_rules_of_every_other() {
    let shop = Shop::open().await;
    let (ada, _) = shop.customer("ada@example.com").await;
    for wrong in ["short", "password1", "ada@example.com", "AdaLovelace", &"x".repeat(200)] {
        let answer = change(&ada, PASSWORD, wrong).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_body"), "{wrong}");
    }
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200);
}

/// Whoever has proven the old password while it is changed has no session afterwards.
#[tokio::test]
async fn a_login_with_the_old_password_beside_a_change_leaves_no_session() {
    let shop = Shop::open().await;
    let (ada, own) = shop.customer("ada@example.com").await;
    let (mut old, mut new) = (PASSWORD, NEW);
    for round in 0..ecommerce_testing::scale(200, 10) {
        let (login, changed) = tokio::join!(shop.log_in("ada@example.com", old), change(&ada, old, new));
        assert_eq!(changed.status, 204, "round {round}: {}", changed.body);
        if login.status == 200 {
            let claims = shop.claims(&login).await;
            assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None, "round {round}");
        }
        let standing: Vec<uuid::Uuid> = sqlx::query_scalar("select id from sessions where ended_at is null")
            .fetch_all(&shop.database.pool)
            .await
            .unwrap();
        assert_eq!(standing, [own.sid.0], "round {round}");
        std::mem::swap(&mut old, &mut new);
    }
}

#[tokio::test]
async fn a_link_sets_a_password_once_within_half_an_hour_and_ends_all_sessions() {
    let shop = Shop::open_at_rest().await;
    let (admin, _) = shop.admin().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    let user = claims.sub.to_string();
    let (first, second) = (link(&admin, &user).await, link(&admin, &user).await);
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200, "a link alone changes nothing");

    let weak = reset(&shop, &first, "password1").await;
    assert_eq!((weak.status, weak.code()), (422, "invalid_body"));
    assert_eq!(reset(&shop, &first, NEW).await.status, 204, "and the link stayed good");
    assert_eq!(shop.sessions.get(claims.sid).await.unwrap(), None);
    assert_eq!(shop.log_in("ada@example.com", NEW).await.status, 200);
    for used in [&first, &second] {
        let answer = reset(&shop, used, PASSWORD).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_reset_token"), "the others are used up with it");
    }

    let late = link(&admin, &user).await;
    shop.clock.advance(Duration::minutes(30));
    assert_eq!(reset(&shop, &late, PASSWORD).await.code(), "invalid_reset_token");
    for wrong in [json!(""), json!("x"), json!("A".repeat(43))] {
        assert_eq!(reset(&shop, &wrong, PASSWORD).await.code(), "invalid_reset_token");
    }
}

#[tokio::test]
async fn a_link_that_was_given_out_is_withdrawn_from_who_is_disabled() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    let user = claims.sub.to_string();
    let before = link(&admin, &user).await;
    for act in ["disable", "enable"] {
        assert_eq!(admin.post(&format!("/api/v1/users/{user}/{act}"), Value::Null).await.status, 200);
        assert_eq!(reset(&shop, &before, NEW).await.code(), "invalid_reset_token", "after {act}");
    }
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200, "the password stayed");
    let after = link(&admin, &user).await;
    assert_eq!(reset(&shop, &after, NEW).await.status, 204);
}

#[tokio::test]
async fn of_many_who_use_a_link_at_once_one_sets_the_password() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    let token = link(&admin, &claims.sub.to_string()).await;
    let passwords = ["first of the passwords", "second of the passwords", "third of the passwords"];
    let answers = tokio::join!(
        reset(&shop, &token, passwords[0]),
        reset(&shop, &token, passwords[1]),
        reset(&shop, &token, passwords[2])
    );
    let statuses = [answers.0.status, answers.1.status, answers.2.status];
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 204).unwrap();
    assert_eq!(shop.log_in("ada@example.com", passwords[winner]).await.status, 200);
}

#[tokio::test]
async fn what_is_kept_of_a_link_opens_nothing() {
    let shop = Shop::open().await;
    let (admin, _) = shop.admin().await;
    let (_, claims) = shop.customer("ada@example.com").await;
    let token = link(&admin, &claims.sub.to_string()).await;
    let kept: String = sqlx::query_scalar("select encode(token_hash, 'base64') from password_resets")
        .fetch_one(&shop.database.pool)
        .await
        .unwrap();
    assert!(!token.as_str().unwrap().contains(kept.trim_end_matches('=')));
    assert_eq!(reset(&shop, &json!(kept), NEW).await.code(), "invalid_reset_token");
}

#[tokio::test]
async fn without_mail_a_forgotten_password_is_answered_like_with_it() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let mut answer = shop.anonymous.post("/api/v1/auth/password/forgot", json!({ "email": email })).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.headers.retain(|(name, _)| name != "x-request-id" && name != "date");
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
}
