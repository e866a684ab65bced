//! The cache answers for the database, and never against it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ecommerce_redis::{Cache, Redis, Session, Sessions};
use ecommerce_testing::redis::Server;
use ecommerce_testing::{eventually, figure};
use ecommerce_types::{Clock, SessionId, UserId};
use tokio::sync::Notify;

use crate::{Part, at};

type Prices = Cache<u32, &'static str>;

async fn prices(part: &Part) -> Prices {
    Cache::new(part.connect().await, "price", Duration::from_mins(1))
}

/// What a database says, and how often it was asked.
#[derive(Default)]
struct Database {
    asked: AtomicUsize,
}

impl Database {
    fn load(&self, value: u32) -> impl Future<Output = Result<u32, &'static str>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(value))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_value_is_loaded_once_and_then_cached_for_every_process() {
    let (part, database) = (Part::new().await, Database::default());
    let (one, other) = (prices(&part).await, prices(&part).await);
    assert_eq!(one.get_or_load("mug", || database.load(5)).await, Ok(5));
    eventually("the other process finds it", || async {
        let before = database.asked();
        assert_eq!(other.get_or_load("mug", || database.load(5)).await, Ok(5));
        (database.asked() == before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn many_misses_at_once_ask_the_database_once_and_share_a_failure() {
    let part = Part::new().await;
    let (prices, asked) = (Arc::new(prices(&part).await), Arc::new(AtomicUsize::new(0)));
    let go = Arc::new(Notify::new());
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (prices, asked, go) = (prices.clone(), asked.clone(), go.clone());
        waiting.spawn(async move {
            let load = || async {
                asked.fetch_add(1, Ordering::SeqCst);
                go.notified().await;
                Err("the database is away")
            };
            prices.get_or_load("mug", load).await
        });
    }
    eventually("the first asks", || async { (asked.load(Ordering::SeqCst) == 1).then_some(()) }).await;
    // All others have had their turn on this one thread and wait for the first.
    tokio::task::yield_now().await;
    go.notify_one();
    for answer in waiting.join_all().await {
        assert_eq!(*answer.unwrap_err(), "the database is away");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// What a load of `one` brings that begins before a change that `other` tells of, and lands after it.
async fn load_across_a_change(one: &Prices, other: &Prices) -> Result<u32, Arc<&'static str>> {
    let (begun, changed) = (Notify::new(), Notify::new());
    let slow = one.get_or_load("mug", || async {
        begun.notify_one();
        changed.notified().await;
        Ok(5)
    });
    let change = async {
        begun.notified().await;
        other.invalidate("mug").await;
        changed.notify_one();
    };
    tokio::join!(slow, change).0
}

#[tokio::test]
async fn after_a_change_the_old_value_is_never_seen_again() {
    let (part, database) = (Part::new().await, Database::default());
    let (one, other) = (prices(&part).await, prices(&part).await);
    assert_eq!(load_across_a_change(&one, &other).await, Ok(5));
    for prices in [&one, &other] {
        assert_eq!(prices.get_or_load("mug", || database.load(6)).await, Ok(6));
    }
    assert!((1..=2).contains(&database.asked()), "the other may find what the one has loaded since");
}

#[tokio::test]
async fn a_value_that_was_loaded_between_two_changes_is_never_seen_after_the_second() {
    let (part, database) = (Part::new().await, Database::default());
    let (one, other) = (prices(&part).await, prices(&part).await);
    one.invalidate("mug").await;
    assert_eq!(load_across_a_change(&one, &other).await, Ok(5));
    for _ in 0..20 {
        assert_eq!(one.get_or_load("mug", || database.load(6)).await, Ok(6));
        assert_eq!(other.get_or_load("mug", || database.load(6)).await, Ok(6));
    }
}

/// As a product that sells: each order changes its stock, and every customer looks at it.
#[tokio::test]
async fn what_changes_all_the_time_is_cached_between_its_changes() {
    const ROUNDS: u32 = 20;
    const READS: usize = 100;
    let (part, database) = (Part::new().await, Database::default());
    let (one, other) = (prices(&part).await, prices(&part).await);
    let mut changes = tokio::time::interval(Duration::from_millis(200));
    for stock in 0..ROUNDS {
        changes.tick().await;
        one.invalidate("mug").await;
        for reader in [&one, &other].into_iter().cycle().take(READS) {
            assert_eq!(reader.get_or_load("mug", || database.load(stock)).await, Ok(stock));
        }
    }
    let (loads, reads) = (database.asked(), READS * ROUNDS as usize);
    assert!(loads * 5 < reads, "{loads} loads for {reads} reads");
    figure("loads of what changes five times a second, for each hundred reads", loads * 100 / reads);
}

#[tokio::test]
async fn without_redis_the_database_answers() {
    let (part, database) = (Part::new().await, Database::default());
    let prices = prices(&part).await;
    part.link.cut();
    assert_eq!(prices.get_or_load("mug", || database.load(5)).await, Ok(5));
    prices.invalidate("mug").await;
    assert_eq!(prices.get_or_load("mug", || database.load(6)).await, Ok(6));
}

#[tokio::test]
async fn a_slow_redis_costs_no_more_than_the_time_limit() {
    let (part, database) = (Part::new().await, Database::default());
    let prices = prices(&part).await;
    part.link.clog();
    let asked = Instant::now();
    assert_eq!(prices.get_or_load("mug", || database.load(5)).await, Ok(5));
    assert!(asked.elapsed() < Duration::from_millis(900), "{:?}", asked.elapsed());
}

/// Whoever walks a catalogue can ask for pages without end.
#[tokio::test]
async fn a_cache_that_is_asked_for_everything_leaves_room_for_the_sessions() {
    let server = Server::with_memory("8mb").await;
    let settings = at(&server.url());
    let redis = Redis::connect(&settings).await.unwrap();
    let pages: Cache<String, &str> = Cache::new(redis.clone(), "page", Duration::from_mins(5));
    let sessions = Sessions::new(redis);
    let page = "x".repeat(4 * 1024);
    for number in 0..4_000 {
        let found = pages.get_or_load(&format!("after-{number}"), || std::future::ready(Ok(page.clone()))).await;
        assert_eq!(found.as_ref(), Ok(&page));
    }
    let (clock, lifetime) = (Clock::system(), Duration::from_mins(20));
    let session = Session { user_id: UserId::new(&clock), roles_version: 1 };
    for _ in 0..2_000 {
        sessions.put(SessionId::new(&clock), &session, lifetime).await.unwrap();
    }
    sessions.mark_complete(sessions.run().await.unwrap()).await.unwrap();
}
