//! How often a password is hashed: once for whoever logs in or tries to, and not at all for who is sent away. In a process of its
//! own, whose counter nobody else moves.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

#[expect(dead_code, reason = "the stories use the rest of it")]
#[path = "it/shop.rs"]
mod shop;

use std::time::{Duration, Instant};

use ecommerce_contract::headers;
use ecommerce_runtime::metrics::render;
use ecommerce_testing::{figure, scale};
use serde_json::json;

use crate::shop::{PASSWORD, Shop};

fn hashes() -> u64 {
    let text = render();
    let line = text.lines().find_map(|line| line.strip_prefix("ecommerce_password_hashes_total "));
    line.unwrap_or_else(|| panic!("no counter in {text}")).parse().unwrap()
}

struct Tries<'a> {
    shop: &'a Shop,
    number: u32,
}

impl Tries<'_> {
    /// A login from an address that nobody has seen: its status, the hashes it took, and its time.
    async fn log_in(&mut self, email: &str, password: &str) -> (u16, u64, Duration) {
        self.number += 1;
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + self.number).to_string();
        let client = self.shop.anonymous.clone().with(headers::CLIENT_ADDRESS, address);
        let (before, began) = (hashes(), Instant::now());
        let answer = client.post("/api/v1/auth/login", json!({ "email": email, "password": password })).await;
        (answer.status, hashes() - before, began.elapsed())
    }
}

#[tokio::test]
async fn known_unknown_disabled_and_without_a_password_cost_one_hash_and_who_is_sent_away_none() {
    for metric in auth::METRICS {
        metric.register();
    }
    let shop = Shop::open().await;
    for email in ["ada@example.com", "disabled@example.com", "none@example.com"] {
        assert_eq!(shop.register(email).await.status, 201);
    }
    for change in [
        "update users set disabled_at = now() where email = 'disabled@example.com'",
        "update users set password_hash = null, password_changed_at = null where email = 'none@example.com'",
    ] {
        sqlx::query(change).execute(&shop.database.pool).await.unwrap();
    }
    let mut tries = Tries { shop: &shop, number: 0 };
    for (email, password, status) in [
        ("ada@example.com", PASSWORD, 200),
        ("ada@example.com", "a wrong guess", 401),
        ("nobody@example.com", PASSWORD, 401),
        ("disabled@example.com", PASSWORD, 401),
        ("none@example.com", PASSWORD, 401),
    ] {
        let (answered, hashed, _) = tries.log_in(email, password).await;
        assert_eq!((answered, hashed), (status, 1), "{email} {password}");
    }

    let body = json!({ "email": "ada@example.com", "password": "a wrong guess" });
    let guesser = shop.anonymous.clone().with(headers::CLIENT_ADDRESS, "192.0.2.1");
    let before = hashes();
    let mut sent_away = 0;
    for _ in 0..50 {
        sent_away += u64::from(guesser.post("/api/v1/auth/login", body.clone()).await.status == 429);
    }
    assert_eq!((sent_away, hashes() - before), (40, 10));

    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..scale(2_000, 20) {
        known.push(tries.log_in("ada@example.com", "a wrong guess").await.2);
        unknown.push(tries.log_in("nobody@example.com", "a wrong guess").await.2);
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    };
    figure(
        "time of a wrong password to an unknown address",
        format!("{:.3}", median(&mut known) / median(&mut unknown)),
    );
}
