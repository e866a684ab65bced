use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::{Envelope, Event};
use ecommerce_types::OrderId;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::shop::Shop;

/// 200 orders for 50 pieces, four replicas, every third message twice: 50 get one, 150 are refused, each once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_piece_is_promised_twice_however_many_want_it_at_once() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        shop.add_replica().await;
    }
    let mug = shop.product(50).await;
    let orders: BTreeSet<OrderId> = (0..200).map(|_| shop.order_id()).collect();
    let mut messages: Vec<Envelope> = orders.iter().map(|order_id| shop.placed(*order_id, &[(mug, 1)])).collect();
    messages.extend(messages.clone().into_iter().step_by(3));
    publish_at_once(&shop, &messages).await;

    let published = answers(&shop, orders.len()).await;
    assert_eq!(published.keys().copied().collect::<BTreeSet<_>>(), orders, "each order is answered once");
    assert_eq!(published.values().filter(|reserved| **reserved).count(), 50);
    assert_eq!(shop.stock(mug).await, (50, 50));
    assert_eq!(shop.broker.take("product.dead").await, None);
}

/// Orders of several products, reserved, sold and closed side by side: replicas that lock the same rows do not stop each
/// other for good, and what is left adds up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_replicas_did_adds_up() {
    let shop = Shop::open().await;
    shop.add_replica().await;
    shop.add_replica().await;
    let mut random = StdRng::seed_from_u64(7);
    let mut products = Vec::new();
    for _ in 0..4 {
        products.push(shop.product(60).await);
    }
    let (mut messages, mut closed) = (Vec::new(), BTreeSet::new());
    let orders: Vec<OrderId> = (0..120).map(|_| shop.order_id()).collect();
    for order_id in &orders {
        let mut lines: Vec<_> = products.iter().map(|id| (*id, random.random_range(1..4))).collect();
        lines.shuffle(&mut random);
        lines.truncate(random.random_range(1..=4));
        messages.push(shop.placed(*order_id, &lines));
        if random.random_bool(0.3) {
            messages.push(shop.closed(*order_id));
            closed.insert(*order_id);
        }
    }
    messages.shuffle(&mut random);
    publish_at_once(&shop, &messages).await;
    ecommerce_testing::eventually("every order is decided", || async {
        (shop.broker.depth("product").await == Some(0)).then_some(())
    })
    .await;

    let held: BTreeMap<uuid::Uuid, i64> = sqlx::query_as::<_, (uuid::Uuid, i64)>(
        "select line.key::uuid, sum(line.value::bigint)::bigint from reservations, jsonb_each(lines) as line
         where state = 'reserved' group by line.key",
    )
    .fetch_all(&shop.database.pool)
    .await
    .unwrap()
    .into_iter()
    .collect();
    for id in products {
        let reserved = held.get(&id.0).copied().unwrap_or_default();
        assert_eq!(shop.stock(id).await, (60, reserved));
    }
    let states: Vec<(uuid::Uuid, String)> =
        sqlx::query_as("select order_id, state from reservations").fetch_all(&shop.database.pool).await.unwrap();
    assert_eq!(states.len(), orders.len());
    for (order_id, state) in states {
        assert_eq!(closed.contains(&OrderId(order_id)), state == "closed", "{state}");
        assert_ne!(state, "unknown");
    }
}

async fn publish_at_once(shop: &Shop, messages: &[Envelope]) {
    futures::future::join_all(messages.iter().map(|message| shop.broker.publish(message))).await;
}

/// What order is told of each order: whether its stock is reserved.
async fn answers(shop: &Shop, count: usize) -> BTreeMap<OrderId, bool> {
    let mut published = BTreeMap::new();
    for _ in 0..count {
        let event = shop.broker.next("order").await.event;
        let reserved = matches!(event, Event::StockReserved(_));
        assert!(published.insert(event.order_id(), reserved).is_none(), "answered twice");
    }
    published
}
