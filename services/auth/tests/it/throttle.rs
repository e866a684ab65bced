//! Who tries too often is sent away before anything is hashed, and keeps nobody else out.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ecommerce_contract::headers;
use ecommerce_testing::{Client, Nginx, figure, scale};
use serde_json::json;
use tokio::task::JoinSet;

use crate::door::Door;
use crate::shop::{PASSWORD, Shop};

fn from(shop: &Shop, address: &str) -> Client {
    shop.anonymous.clone().with(headers::CLIENT_ADDRESS, address)
}

async fn guess(client: &Client, email: &str) -> (u16, String) {
    let answer = client.post("/api/v1/auth/login", json!({ "email": email, "password": "a wrong guess" })).await;
    (answer.status, answer.code().to_owned())
}

#[tokio::test]
async fn an_address_that_guesses_is_sent_away_and_told_until_when() {
    let shop = Shop::open_at_rest().await;
    shop.register("ada@example.com").await;
    let guesser = from(&shop, "192.0.2.1");
    for _ in 0..10 {
        assert_eq!(guess(&guesser, "ada@example.com").await, (401, "wrong_credentials".to_owned()));
    }
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let refused = guesser.post("/api/v1/auth/login", body.clone()).await;
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "too_many_attempts", Some("31")));
    assert_eq!(from(&shop, "192.0.2.2").post("/api/v1/auth/login", body.clone()).await.status, 200);
    shop.clock.advance(time::Duration::seconds(30));
    assert_eq!(guesser.post("/api/v1/auth/login", body).await.status, 200);
}

/// A client of a true address, which says another each time wherever a client might.
async fn log_in_from(own: [u8; 4], door: SocketAddr, said: u8, password: &str) -> u16 {
    let client = reqwest::Client::builder().local_address(IpAddr::from(own)).build().unwrap();
    let mut request = client.post(format!("http://{door}/api/v1/auth/login"));
    for name in ["x-forwarded-for", "x-client-address", "X_Client_Address", "x-real-ip", "cf-connecting-ip"] {
        request = request.header(name, format!("203.0.113.{said}"));
    }
    request = request.header("forwarded", format!("for=203.0.113.{said}"));
    let body = json!({ "email": "ada@example.com", "password": password });
    request.json(&body).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guesser_is_known_by_where_it_truly_is_at_the_door_and_behind_nginx() {
    let shop = Shop::open_at_rest().await;
    shop.register("ada@example.com").await;
    let open_door = Door::before(&shop, vec![shop.address()]).await;
    let inner_door = Door::behind_proxies(1, &shop, vec![shop.address()]).await;
    let nginx = Nginx::before(inner_door.address).await;
    for (door, guesser, owner) in
        [(open_door.address, [127, 0, 0, 2], [127, 0, 0, 3]), (nginx.address, [127, 0, 0, 4], [127, 0, 0, 5])]
    {
        for said in 0..10 {
            assert_eq!(log_in_from(guesser, door, said, "a wrong guess").await, 401, "guess {said} at {door}");
        }
        assert_eq!(log_in_from(guesser, door, 10, PASSWORD).await, 429, "{door}");
        assert_eq!(log_in_from(owner, door, 11, PASSWORD).await, 200, "{door}");
    }
}

#[tokio::test]
async fn a_known_and_an_unknown_address_are_sent_away_alike() {
    let shop = Shop::open_at_rest().await;
    shop.register("ada@example.com").await;
    let mut answers = Vec::new();
    for (address, email) in [("192.0.2.1", "ada@example.com"), ("192.0.2.2", "nobody@example.com")] {
        let client = from(&shop, address);
        let mut seen = Vec::new();
        for _ in 0..15 {
            seen.push(guess(&client, email).await);
        }
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn accounts_that_are_made_from_one_address_are_counted() {
    let shop = Shop::open_at_rest().await;
    let client = from(&shop, "192.0.2.1");
    // Its account is there already: what is made need not be, to count.
    shop.register("ada@example.com").await;
    let mut statuses = Vec::new();
    for _ in 0..101 {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
        statuses.push(client.post("/api/v1/auth/register", body).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 100);
    assert_eq!(statuses[100], 429);
    let body = json!({ "email": "bob@example.com", "password": PASSWORD, "name": "Bob" });
    assert_eq!(from(&shop, "192.0.2.2").post("/api/v1/auth/register", body).await.status, 201);
}

/// 200 guesses a second at one account from one address and 20 a second from each of 50 more; its owner comes from addresses that
/// nobody has seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_guesses_at_an_account_keeps_its_owner_out_no_second() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let looked_at = Arc::new(AtomicUsize::new(0));
    let mut crowd = JoinSet::new();
    for number in 0..=50_u32 {
        let (client, looked_at) = (from(&shop, &format!("198.51.100.{number}")), Arc::clone(&looked_at));
        let a_second = if number == 0 { scale(200, 20) } else { scale(20, 2) };
        let pause = Duration::from_secs(1) / u32::try_from(a_second).unwrap();
        crowd.spawn(async move {
            let mut tick = tokio::time::interval(pause);
            loop {
                tick.tick().await;
                let (client, looked_at) = (client.clone(), Arc::clone(&looked_at));
                tokio::spawn(async move {
                    if guess(&client, "ada@example.com").await.0 == 401 {
                        looked_at.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
    }
    let mut slowest = Duration::ZERO;
    for number in 0..scale(100, 20) {
        let owner = from(&shop, &format!("203.0.113.{number}"));
        let asked = Instant::now();
        let login = owner.post("/api/v1/auth/login", json!({ "email": "ada@example.com", "password": PASSWORD })).await;
        assert_eq!(login.status, 200, "login {number}: {}", login.body);
        slowest = slowest.max(asked.elapsed());
    }
    crowd.abort_all();
    figure("slowest login beside a crowd that guesses", format!("{slowest:?}"));
    // A hundred at the account, one of each address, and what comes back with time.
    let looked_at = looked_at.load(Ordering::Relaxed);
    assert!(looked_at <= 100 + 51 + 10, "{looked_at} guesses were looked at");
}
