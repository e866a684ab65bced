use ecommerce_contract::Event;
use ecommerce_contract::events::{OrderLine, StockRejected, StockReserved};
use ecommerce_testing::eventually;
use ecommerce_types::{ProductId, Quantity};

use crate::shop::Shop;

#[tokio::test]
async fn an_order_is_reserved_sold_and_seen_by_everybody() {
    let shop = Shop::open().await;
    let mug = shop.cached_product(5).await;
    assert_eq!(shop.available(mug).await, 5);
    let order_id = shop.order_id();
    shop.broker.publish(&shop.placed(order_id, &[(mug, 2)])).await;

    let published = shop.broker.next("order").await;
    assert_eq!(published.event, Event::StockReserved(StockReserved { order_id }));
    assert_eq!(published.request_id.as_deref(), Some("a-request"), "the request goes on through what it causes");
    // The cache was emptied before order was answered.
    assert_eq!(shop.available(mug).await, 3);
    assert_eq!(shop.stock(mug).await, (5, 2));

    shop.broker.publish(&shop.paid(order_id)).await;
    shop.eventually_stock(mug, 3, 0).await;
    assert_eq!(shop.available(mug).await, 3);
}

#[tokio::test]
async fn an_order_of_more_than_there_is_is_rejected_with_the_lines_at_fault_and_moves_nothing() {
    let shop = Shop::open().await;
    let (mug, bowl) = (shop.product(5).await, shop.product(1).await);
    let unknown = ProductId::new(&shop.clock);
    let order_id = shop.order_id();
    shop.broker.publish(&shop.placed(order_id, &[(mug, 2), (bowl, 9), (unknown, 1)])).await;

    let line = |product_id, quantity| OrderLine { product_id, quantity: Quantity::new(quantity).unwrap() };
    let lines = vec![line(bowl, 9), line(unknown, 1)];
    assert_eq!(shop.broker.next("order").await.event, Event::StockRejected(StockRejected { order_id, lines }));
    assert_eq!((shop.stock(mug).await, shop.stock(bowl).await), ((5, 0), (1, 0)));
}

#[tokio::test]
async fn what_is_closed_gives_its_stock_back_paid_or_not() {
    let shop = Shop::open().await;
    let mug = shop.product(5).await;
    let (unpaid, paid) = (shop.order_id(), shop.order_id());
    for order_id in [unpaid, paid] {
        shop.broker.publish(&shop.placed(order_id, &[(mug, 2)])).await;
        shop.broker.next("order").await;
    }
    shop.broker.publish(&shop.paid(paid)).await;
    shop.eventually_stock(mug, 3, 2).await;
    assert_eq!(shop.available(mug).await, 1);
    shop.broker.publish(&shop.closed(unpaid)).await;
    shop.eventually_stock(mug, 3, 0).await;
    shop.broker.publish(&shop.closed(paid)).await;
    shop.eventually_stock(mug, 5, 0).await;
    eventually("everybody sees it", || async { (shop.available(mug).await == 5).then_some(()) }).await;
}

#[tokio::test]
async fn an_order_that_is_closed_before_it_was_heard_of_takes_no_stock_and_is_told_nothing() {
    let shop = Shop::open().await;
    let mug = shop.product(5).await;
    let (closed, next) = (shop.order_id(), shop.order_id());
    shop.broker.publish(&shop.closed(closed)).await;
    shop.broker.publish(&shop.placed(closed, &[(mug, 2)])).await;
    // The queue keeps its order, so what comes after shows that what came before is done.
    shop.broker.publish(&shop.placed(next, &[(mug, 1)])).await;
    assert_eq!(shop.broker.next("order").await.event, Event::StockReserved(StockReserved { order_id: next }));
    assert_eq!(shop.stock(mug).await, (5, 1));
}

#[tokio::test]
async fn what_comes_twice_happens_once() {
    let shop = Shop::open().await;
    let mug = shop.product(5).await;
    let (order_id, next) = (shop.order_id(), shop.order_id());
    let placed = shop.placed(order_id, &[(mug, 2)]);
    // The same message, and the same event in another message.
    for message in [&placed, &placed, &shop.placed(order_id, &[(mug, 2)])] {
        shop.broker.publish(message).await;
    }
    assert_eq!(shop.broker.next("order").await.event, Event::StockReserved(StockReserved { order_id }));
    let paid = shop.paid(order_id);
    for message in [&paid, &paid, &shop.paid(order_id), &placed] {
        shop.broker.publish(message).await;
    }
    shop.broker.publish(&shop.placed(next, &[(mug, 1)])).await;
    assert_eq!(shop.broker.next("order").await.event, Event::StockReserved(StockReserved { order_id: next }));
    assert_eq!(shop.stock(mug).await, (3, 1));
}

#[tokio::test]
async fn what_a_broker_without_us_has_kept_is_done_when_we_are_back() {
    let shop = Shop::open().await;
    let mug = shop.product(5).await;
    shop.broker.cut_connections().await;
    let order_id = shop.order_id();
    shop.broker.publish(&shop.placed(order_id, &[(mug, 2)])).await;
    assert_eq!(shop.broker.next("order").await.event, Event::StockReserved(StockReserved { order_id }));
    shop.eventually_stock(mug, 5, 2).await;
}
