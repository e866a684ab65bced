use ecommerce_contract::Event;
use ecommerce_contract::events::StockReserved;
use ecommerce_testing::eventually;
use time::Duration;

use crate::shop::Shop;

#[tokio::test]
async fn an_order_that_is_heard_of_after_its_payment_deadline_takes_no_stock() {
    let shop = Shop::open_with_a_clock().await;
    let mug = shop.product(5).await;
    let late = shop.order_id();
    shop.clock.advance(Duration::minutes(15));
    let next = shop.order_id();
    shop.broker.publish(&shop.placed(late, &[(mug, 2)])).await;
    shop.broker.publish(&shop.placed(next, &[(mug, 1)])).await;
    assert_eq!(shop.broker.next("order").await.event, Event::StockReserved(StockReserved { order_id: next }));
    assert_eq!((shop.stock(mug).await, shop.known().await), ((5, 1), 1));
}

#[tokio::test]
async fn a_reservation_that_nobody_ends_is_shown_a_minute_after_its_deadline() {
    let shop = Shop::open_with_a_clock().await;
    let mug = shop.product(5).await;
    let forgotten = shop.order_id();
    shop.broker.publish(&shop.placed(forgotten, &[(mug, 2)])).await;
    shop.broker.next("order").await;
    let paid = shop.order_id();
    shop.broker.publish(&shop.placed(paid, &[(mug, 1)])).await;
    shop.broker.next("order").await;
    shop.broker.publish(&shop.paid(paid)).await;
    shop.eventually_stock(mug, 4, 2).await;

    // The gauge is the process's, and other tests run in it.
    shop.clock.advance(Duration::minutes(16) + Duration::SECOND);
    shop.add_replica().await;
    eventually("one reservation is past its deadline", || async {
        let metrics = reqwest::get(format!("http://{}/metrics", shop.operations_address)).await.unwrap();
        metrics.text().await.unwrap().contains("\necommerce_reservations_past_deadline 1\n").then_some(())
    })
    .await;
}
