//! What a login costs beside the hash that it is made of, and a refresh beside a login: all in one run, so that the ratios hold on
//! any machine. `cargo bench -p auth --bench logins`; needs the stores.
#![expect(clippy::unwrap_used, reason = "a benchmark says what went wrong by panicking")]

#[expect(dead_code, reason = "the stories use the rest of it")]
#[path = "../tests/it/shop.rs"]
mod shop;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use ecommerce_contract::headers;
use ecommerce_testing::{Client, figure};
use serde_json::json;
use tokio::task::JoinSet;

use crate::shop::{PASSWORD, Shop};

const RUN: Duration = Duration::from_secs(5);
const THREADS: usize = 2;
/// Enough that nobody comes to the twenty sessions that one has.
const PEOPLE: u32 = 200;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Hashes a second of the library alone, on as many threads as auth has for it.
fn bare() -> f64 {
    let work = || {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap());
        let (began, mut count, mut hash) = (Instant::now(), 0_u32, [0; 32]);
        while began.elapsed() < RUN {
            argon2.hash_password_into(PASSWORD.as_bytes(), b"sixteen bytes of", &mut hash).unwrap();
            count += 1;
        }
        count
    };
    let count = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>()
    });
    f64::from(count) / RUN.as_secs_f64()
}

/// From an address that nobody has seen.
fn from_afar(client: &Client) -> Client {
    let address = Ipv4Addr::from_bits(0x0a00_0000 + NUMBER.fetch_add(1, Ordering::Relaxed));
    client.clone().with(headers::CLIENT_ADDRESS, address.to_string())
}

async fn a_second<F: Future<Output = u32> + Send + 'static>(workers: usize, work: impl Fn(usize) -> F) -> f64 {
    let mut running = JoinSet::new();
    for worker in 0..workers {
        running.spawn(work(worker));
    }
    let count: u32 = running.join_all().await.into_iter().sum();
    f64::from(count) / RUN.as_secs_f64()
}

#[tokio::main]
async fn main() {
    let shop = Shop::open().await;
    for person in 0..PEOPLE {
        let body = json!({ "email": format!("{person}@example.com"), "password": PASSWORD, "name": "Ada Lovelace" });
        assert_eq!(from_afar(&shop.anonymous).post("/api/v1/auth/register", body).await.status, 201);
    }
    // Without the document, in which every answer of a story is looked up: that would cost more than what is measured.
    let stranger = Client::anonymous(shop.address(), &shop.keys);
    for round in 1..=3 {
        let bare = bare();
        let logins = a_second(4 * THREADS, |_| {
            let client = stranger.clone();
            async move {
                let (began, mut count) = (Instant::now(), 0);
                while began.elapsed() < RUN {
                    let person = NUMBER.load(Ordering::Relaxed) % PEOPLE;
                    let body = json!({ "email": format!("{person}@example.com"), "password": PASSWORD });
                    assert_eq!(from_afar(&client).post("/api/v1/auth/login", body).await.status, 200);
                    count += 1;
                }
                count
            }
        })
        .await;
        let mut tokens = Vec::new();
        for _ in 0..8 {
            tokens.push(shop.log_in("0@example.com", PASSWORD).await.body["refresh_token"].clone());
        }
        let refreshes = a_second(tokens.len(), |worker| {
            let (client, mut token) = (stranger.clone(), tokens[worker].clone());
            async move {
                let (began, mut count) = (Instant::now(), 0);
                while began.elapsed() < RUN {
                    let answer = client.post("/api/v1/auth/refresh", json!({ "refresh_token": token })).await;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    token = answer.body["refresh_token"].clone();
                    count += 1;
                }
                count
            }
        })
        .await;
        let (to_bare, to_logins) = (logins / bare, refreshes / logins);
        figure(
            &format!("round {round}: logins / bare hashes"),
            format!("{to_bare:.3} ({logins:.1} / {bare:.1} a second)"),
        );
        figure(&format!("round {round}: refreshes / logins"), format!("{to_logins:.1} ({refreshes:.0} a second)"));
    }
}
