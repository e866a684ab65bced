use std::time::{Duration, Instant};

use ecommerce_testing::{Link, eventually, redis};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::shop::Shop;

/// Redis is there to be quick, not to be right.
#[tokio::test]
async fn while_redis_is_away_everything_is_read_and_written_as_ever() {
    let link = Link::to(&redis::url()).await;
    let shop = Shop::open_with(link.url.to_string()).await;
    let id = shop.product(5).await;
    assert_eq!(shop.available(id).await, 5);
    link.cut();
    let started = Instant::now();
    // A change while it is away may be unseen for as long as a product is kept; another product is not in the cache at all.
    let other = shop.product(7).await;
    assert_eq!(shop.available(other).await, 7);
    assert_eq!(shop.anonymous.get("/api/v1/products?limit=1").await.body["items"][0]["id"], json!(other));
    let order_id = shop.order_id();
    shop.broker.publish(&shop.placed(order_id, &[(other, 2)])).await;
    shop.broker.next("order").await;
    assert_eq!(shop.available(other).await, 5);
    assert!(started.elapsed() < Duration::from_secs(5), "took {:?}", started.elapsed());
    link.mend();
    eventually("the old value's time is over", || async { (shop.available(id).await == 5).then_some(()) }).await;
}

#[tokio::test]
async fn while_redis_is_silent_a_read_waits_a_moment_and_no_longer() {
    let link = Link::to(&redis::url()).await;
    let shop = Shop::open_with(link.url.to_string()).await;
    let id = shop.product(5).await;
    assert_eq!(shop.available(id).await, 5);
    link.clog();
    let started = Instant::now();
    let reads = join_all((0..20).map(|_| shop.available(id))).await;
    assert_eq!(reads, [5; 20]);
    assert!(started.elapsed() < Duration::from_secs(3), "took {:?}", started.elapsed());
}

/// With a wait for Redis in each batch, these would take half a minute.
#[tokio::test]
async fn while_redis_is_silent_no_message_waits_for_it() {
    let link = Link::to(&redis::url()).await;
    let shop = Shop::open_with(link.url.to_string()).await;
    let id = shop.product(100).await;
    link.clog();
    let started = Instant::now();
    for _ in 0..60 {
        shop.broker.publish(&shop.placed(shop.order_id(), &[(id, 1)])).await;
        shop.broker.next("order").await;
    }
    eventually("all are acknowledged", || async { (shop.broker.depth("product").await == Some(0)).then_some(()) })
        .await;
    assert!(started.elapsed() < Duration::from_secs(15), "took {:?}", started.elapsed());
}

/// Whatever staff change, the next read tells of it, though the value before lay in Redis.
#[tokio::test]
async fn a_change_is_seen_by_the_next_read() {
    let shop = Shop::open().await;
    let path = |id| format!("/api/v1/products/{id}");
    let staff = shop.staff.with_idempotency_key("a-key");

    let id = shop.cached_product(5).await;
    staff.send(Method::PATCH, &path(id), Some(json!({ "name": "Cup" }).to_string())).await;
    assert_eq!(shop.anonymous.get(&path(id)).await.body["name"], "Cup");

    let id = shop.cached_product(5).await;
    shop.set_stock(id, 7).await;
    assert_eq!(shop.available(id).await, 7);

    let id = shop.cached_product(5).await;
    staff.post(&format!("{}/stock/adjustments", path(id)), json!({ "by": 1, "reason": "found" })).await;
    assert_eq!(shop.available(id).await, 6);

    let id = shop.cached_product(5).await;
    staff.send(Method::DELETE, &path(id), None).await;
    assert_eq!(shop.anonymous.get(&path(id)).await.status, 404);
}

/// Reads run all the time while the stock changes; whoever reads after a change was answered sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_after_a_change_sees_what_was_before() {
    let shop = Shop::open().await;
    shop.add_replica().await;
    let id = shop.product(0).await;
    for on_hand in 1..=50 {
        let (_, set, _) = tokio::join!(shop.available(id), shop.set_stock(id, on_hand), shop.available(id));
        assert_eq!(set.status, 200);
        assert_eq!(shop.available(id).await, on_hand);
    }
}
