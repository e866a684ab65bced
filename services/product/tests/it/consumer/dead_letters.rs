use std::collections::BTreeSet;

use ecommerce_contract::Envelope;
use ecommerce_testing::eventually;

use crate::shop::Shop;

/// A message that is no envelope, one of a version that nobody knows, and one that contradicts what happened here: each goes
/// to the dead letters, and the orders around them are served.
#[tokio::test]
async fn a_message_that_is_at_fault_goes_alone() {
    let shop = Shop::open().await;
    let mug = shop.product(100).await;
    let contradiction = shop.paid(shop.order_id());
    let orders: BTreeSet<_> = (0..60).map(|_| shop.order_id()).collect();
    for (index, order_id) in orders.iter().enumerate() {
        match index {
            20 => shop.broker.publish_bytes("order.placed", b"not json").await,
            30 => shop.broker.publish_bytes("order.placed", br#"{"type":"order.placed","payload":{}}"#).await,
            40 => shop.broker.publish(&contradiction).await,
            _ => {}
        }
        shop.broker.publish(&shop.placed(*order_id, &[(mug, 1)])).await;
    }
    let mut published = BTreeSet::new();
    for _ in &orders {
        published.insert(shop.broker.next("order").await.event.order_id());
    }
    assert_eq!(published, orders);
    assert_eq!(shop.stock(mug).await, (100, 60));

    let mut dead = Vec::new();
    for _ in 0..3 {
        dead.push(eventually("a dead letter", || shop.broker.take("product.dead")).await);
    }
    assert!(dead.contains(&b"not json".to_vec()));
    assert!(dead.iter().any(|body| serde_json::from_slice::<Envelope>(body).is_ok_and(|it| it == contradiction)));
    assert_eq!(shop.broker.take("product.dead").await, None);
}
