//! `POST /api/v1/auth/login`

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ecommerce_contract::headers;
use ecommerce_redis::Session;
use ecommerce_testing::{Client, eventually};
use serde_json::json;

use crate::shop::{PASSWORD, Shop};

#[tokio::test]
async fn a_login_gives_a_token_of_a_session_that_redis_knows() {
    let shop = Shop::open().await;
    let user = shop.register("ada@example.com").await.body;
    let login = shop.log_in("Ada@example.com", PASSWORD).await;
    assert_eq!(login.status, 200, "{}", login.body);
    assert_eq!((&login.body["token_type"], &login.body["expires_in"]), (&"Bearer".into(), &600.into()));
    assert_eq!(login.body.as_object().unwrap().len(), 4);
    assert_eq!(login.header("cache-control"), Some("no-store"));

    let claims = shop.claims(&login).await;
    assert_eq!(claims.sub.to_string(), user["id"].as_str().unwrap());
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), ("https://shop.default", "shop.default"));
    assert_eq!((claims.roles.to_string().as_str(), claims.ver, claims.exp - claims.iat), ("customer", 1, 600));
    let session = shop.sessions.get(claims.sid).await.unwrap();
    assert_eq!(session, Some(Session { user_id: claims.sub, roles_version: 1 }));
}

#[tokio::test]
async fn each_login_is_a_session_of_its_own() {
    let shop = Shop::open().await;
    let (_, first) = shop.customer("ada@example.com").await;
    let second = shop.claims(&shop.log_in("ada@example.com", PASSWORD).await).await;
    assert_ne!((first.sid, first.jti), (second.sid, second.jti));
    assert_eq!(first.sub, second.sub);
}

#[tokio::test]
async fn an_unknown_address_is_answered_like_a_wrong_password_in_text() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let mut wrong = shop.log_in("ada@example.com", "wrong password").await;
    let mut unknown = shop.log_in("bob@example.com", "wrong password").await;
    assert_eq!((wrong.status, wrong.code()), (401, "wrong_credentials"));
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
    for answer in [&mut wrong, &mut unknown] {
        answer.body["request_id"].take();
        answer.headers.retain(|(name, _)| name != "x-request-id" && name != "date");
        answer.bytes.clear();
    }
    assert_eq!(wrong, unknown);
}

#[tokio::test]
async fn an_unknown_address_is_answered_like_a_wrong_password_in_time() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let (wrong, unknown) = quickest(&shop.anonymous).await;
    assert!(unknown > wrong / 2 && wrong > unknown / 2, "wrong {wrong:?}, unknown {unknown:?}");
}

static GUESSES: AtomicU32 = AtomicU32::new(0x0a00_0000);

/// The quickest of several refusals of a wrong password and of an unknown address, asked in turn: what else the machine does is
/// the same for both.
async fn quickest(client: &Client) -> (Duration, Duration) {
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..7 {
        for (quickest, email) in quickest.iter_mut().zip(["ada@example.com", "bob@example.com"]) {
            let asked = Instant::now();
            let body = json!({ "email": email, "password": "wrong password" });
            // From everywhere: who guesses from one address is sent away.
            let from = Ipv4Addr::from_bits(GUESSES.fetch_add(1, Ordering::Relaxed)).to_string();
            let client = client.clone().with(headers::CLIENT_ADDRESS, from);
            assert_eq!(client.post("/api/v1/auth/login", body).await.status, 401);
            *quickest = asked.elapsed().min(*quickest);
        }
    }
    quickest.into()
}

#[tokio::test]
async fn after_a_change_of_the_cost_an_unknown_address_takes_the_time_of_most_accounts() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    // Several times as much as a hash costs today.
    shop.hash_as_of_old(30).await;
    let client = shop.open_another(shop.config.clone()).await;
    eventually("an unknown address takes as long", || async {
        let (wrong, unknown) = quickest(&client).await;
        (unknown > wrong / 2 && wrong > unknown / 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_password_whose_hash_costs_less_than_today_is_hashed_anew_once_it_is_proven() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    shop.hash_as_of_old(1).await;
    let old = shop.password_hash().await;
    assert!(old.starts_with("$argon2id$v=19$m=8192,t=1,p=1$"), "{old}");
    assert_eq!(shop.log_in("ada@example.com", "wrong password").await.status, 401);
    assert_eq!(shop.password_hash().await, old);

    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200);
    let new = shop.password_hash().await;
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200);
    assert_eq!(shop.password_hash().await, new, "once is enough");
}

#[tokio::test]
async fn more_logins_of_one_address_than_the_queue_holds_are_refused_at_once() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let mut attempts = tokio::task::JoinSet::new();
    for number in 0..30 {
        let client = shop.anonymous.clone();
        let body = json!({ "email": format!("nobody{number}@example.com"), "password": PASSWORD });
        attempts.spawn(async move { client.post("/api/v1/auth/login", body).await });
    }
    let answers = attempts.join_all().await;
    let (served, sent_away): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 401);
    assert!(served.len() >= 10 && !sent_away.is_empty(), "{} of {} served", served.len(), answers.len());
    for answer in sent_away {
        assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (503, "busy", Some("1")));
    }
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 200);
}

/// Spaces cut off at one of two doors, one word typed on two systems, a longest length that only one side keeps: each has locked
/// somebody out.
#[tokio::test]
async fn a_password_is_compared_whole_with_its_spaces_however_its_letters_were_put_together() {
    let shop = Shop::open().await;
    let register = async |email: &str, password: &str| {
        let body = serde_json::json!({ "email": email, "password": password, "name": "Ada" });
        assert_eq!(shop.anonymous.post("/api/v1/auth/register", body).await.status, 201);
    };
    let composed = " P\u{e4}ssw\u{f6}rd gr\u{f6}ße x ";
    register("ada@example.com", composed).await;
    for (password, status) in
        [(composed, 200), (composed.trim(), 401), (" Pa\u{308}sswo\u{308}rd gro\u{308}ße x ", 200)]
    {
        assert_eq!(shop.log_in("ada@example.com", password).await.status, status, "{password:?}");
    }
    let long = "x y".repeat(35);
    register("bob@example.com", &long).await;
    assert_eq!(shop.log_in("bob@example.com", &long).await.status, 200);
    assert_eq!(shop.log_in("bob@example.com", &format!("{}z", &long[..104])).await.status, 401);
}

#[tokio::test]
async fn a_password_of_any_length_is_compared_and_refused() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    for password in ["", "short", &"x".repeat(10_000), "\u{0}\u{7f}"] {
        assert_eq!(shop.log_in("ada@example.com", password).await.code(), "wrong_credentials");
    }
}
