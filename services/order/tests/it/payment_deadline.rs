use ecommerce_contract::Event;
use ecommerce_contract::events::{ClosedAs, PaymentCaptured, PaymentRequested, StockReserved};
use ecommerce_testing::Client;
use serde_json::json;
use time::Duration;
use tokio::task::JoinSet;

use crate::shop::Shop;

const EVERY: std::time::Duration = std::time::Duration::from_millis(20);

#[tokio::test]
async fn an_order_that_nobody_pays_expires_once_with_many_replicas() {
    let shop = Shop::open().await;
    shop.replica().await;
    shop.replica().await;
    let customer = shop.customer();
    let mut placed = Vec::new();
    for _ in 0..10 {
        placed.push(shop.order(&customer).await);
    }
    shop.clock.advance(Duration::minutes(15));
    for id in &placed {
        let order = shop.reaches(&customer, *id, "expired").await;
        assert_eq!(order["reason"], "not_paid_in_time");
    }
    let mut published = Vec::new();
    for _ in &placed {
        let Event::OrderClosed(closed) = shop.published_to("payment").await.event else { panic!("order.closed") };
        assert_eq!(closed.outcome, ClosedAs::Expired);
        published.push(closed.order_id);
    }
    published.sort_unstable();
    placed.sort_unstable();
    assert_eq!(published, placed);
    assert_eq!(shop.broker.take("payment").await, None, "each is published once");
}

#[tokio::test]
async fn an_order_in_time_or_paid_does_not_expire() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let requested = awaiting_payment(&shop, &customer).await;
    shop.clock.advance(Duration::minutes(15) - Duration::seconds(1));
    shop.publish(captured(&requested)).await;
    assert!(matches!(shop.published_to("product").await.event, Event::OrderPaid(_)));

    // A later order that does expire shows that the clock has looked at both.
    let later = shop.order(&customer).await;
    shop.clock.advance(Duration::minutes(16));
    shop.reaches(&customer, later, "expired").await;
    shop.reaches(&customer, requested.order_id, "paid").await;
}

/// It has its stock, and its customer has been asked for the money.
async fn awaiting_payment(shop: &Shop, customer: &Client) -> PaymentRequested {
    let order_id = shop.order(customer).await;
    shop.publish(Event::StockReserved(StockReserved { order_id })).await;
    let Event::PaymentRequested(requested) = shop.published_to("payment").await.event else {
        panic!("order.payment_requested")
    };
    requested
}

fn captured(requested: &PaymentRequested) -> Event {
    let PaymentRequested { order_id, payment_id, amount, .. } = *requested;
    Event::PaymentCaptured(PaymentCaptured { order_id, payment_id, amount })
}

#[tokio::test]
async fn what_was_paid_while_order_was_away_is_paid_however_late_it_is_heard() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let mut paid = Vec::new();
    for _ in 0..20 {
        paid.push(awaiting_payment(&shop, &customer).await);
    }
    let nobody_paid = awaiting_payment(&shop, &customer).await;
    let shop = shop.stop().await;
    for requested in &paid {
        shop.publish(captured(requested)).await;
    }
    shop.clock.advance(Duration::hours(2));
    shop.replica().await;
    let Event::OrderClosed(closed) = shop.published_to("payment").await.event else { panic!("order.closed") };
    assert_eq!((closed.order_id, closed.outcome), (nobody_paid.order_id, ClosedAs::Expired));
    let count = sqlx::query_scalar::<_, i64>("select count(*) from orders where status = 'paid'");
    assert_eq!(count.fetch_one(&shop.database.pool).await.unwrap(), 20);
    assert_eq!(shop.broker.take("payment").await, None, "no other is closed");
}

#[tokio::test]
async fn what_was_paid_in_the_last_moment_is_paid() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let requested = awaiting_payment(&shop, &customer).await;
    let pending = shop.order(&customer).await;
    shop.clock.advance(Duration::minutes(15) + Duration::seconds(10));
    shop.reaches(&customer, pending, "expired").await;
    shop.publish(captured(&requested)).await;
    shop.reaches(&customer, requested.order_id, "paid").await;
}

#[tokio::test]
async fn without_a_broker_no_order_is_ended_that_may_have_been_paid() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let (paid, not_paid) = (awaiting_payment(&shop, &customer).await, awaiting_payment(&shop, &customer).await);
    let pending = shop.order(&customer).await;
    shop.to_broker.cut();
    shop.publish(captured(&paid)).await;
    shop.clock.advance(Duration::hours(2));
    shop.reaches(&customer, pending, "expired").await;
    for requested in [&paid, &not_paid] {
        shop.reaches(&customer, requested.order_id, "awaiting_payment").await;
    }
    shop.to_broker.mend();
    shop.reaches(&customer, paid.order_id, "paid").await;
    shop.reaches(&customer, not_paid.order_id, "expired").await;
}

#[tokio::test]
async fn the_deadline_survives_a_restart() {
    let shop = Shop::open().await;
    let id = shop.order(&shop.customer()).await;
    let shop = shop.stop().await;
    shop.clock.advance(Duration::minutes(15));
    shop.replica().await;
    let Event::OrderClosed(closed) = shop.published_to("payment").await.event else { panic!("order.closed") };
    assert_eq!((closed.order_id, closed.outcome), (id, ClosedAs::Expired));
}

/// As a newer version may have written it.
#[tokio::test]
async fn an_order_that_does_not_read_holds_up_no_other() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let (unreadable, other) = (shop.order(&customer).await, shop.order(&customer).await);
    let changed =
        sqlx::query("update orders set lines = '{\"of\": \"another version\"}' where id = $1").bind(unreadable.0);
    changed.execute(&shop.database.pool).await.unwrap();
    shop.clock.advance(Duration::minutes(15));
    shop.reaches(&customer, other, "expired").await;
    let status: String = sqlx::query_scalar("select status from orders where id = $1")
        .bind(unreadable.0)
        .fetch_one(&shop.database.pool)
        .await
        .unwrap();
    assert_eq!(status, "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_are_called_off_while_the_clock_ends_them_end_one_way_and_nobody_is_put_off() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let mut orders = Vec::new();
    for _ in 0..60 {
        orders.push(shop.order(&customer).await);
    }
    // One after the other, for longer than the clock takes until it looks again.
    let (mut pace, mut running) = (tokio::time::interval(EVERY), JoinSet::new());
    shop.clock.advance(Duration::minutes(15));
    for id in orders {
        pace.tick().await;
        let customer = customer.clone();
        running.spawn(async move {
            let answer = customer.post(&format!("/api/v1/orders/{id}/cancel"), json!(null)).await;
            (id, answer)
        });
    }
    for (id, answer) in running.join_all().await {
        let status = if answer.status == 200 { "cancelled" } else { "expired" };
        assert!(answer.status == 200 || answer.code() == "order_state", "{}", answer.body);
        shop.reaches(&customer, id, status).await;
    }
}
