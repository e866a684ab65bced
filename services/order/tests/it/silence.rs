//! A way to a store that falls silent: nothing is refused, no answer comes, and TCP waits for a quarter of an hour. It costs
//! what was on the way, for seconds, and no restart.

use std::time::Duration;

use ecommerce_contract::Event;
use ecommerce_contract::events::StockReserved;
use ecommerce_postgres::BACKGROUND;
use ecommerce_testing::within;
use serde_json::json;

use crate::shop::{Shop, place};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn while_the_way_to_postgres_falls_silent_again_and_again_orders_are_placed_and_told() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let mug = shop.sell_a_mug();
    for _ in 0..2 {
        shop.to_postgres.silence();
        let body = json!({ "items": [{ "product_id": mug, "quantity": 2 }] });
        let placed = within(SOON, "an order is placed", || async {
            let answer = place(&customer, &body).await;
            (answer.status == 201).then_some(answer.body)
        })
        .await;
        let order = placed["id"].as_str().unwrap();
        assert_eq!(shop.published_to("product").await.event.order_id().to_string(), order);
        within(SOON, "the outbox is empty", || async {
            let query = sqlx::query_scalar::<_, i64>("select count(*) from outbox");
            (query.fetch_one(&shop.database.pool).await.unwrap() == 0).then_some(())
        })
        .await;
    }
}

/// In the middle of a statement of everything that works in the background.
#[tokio::test]
async fn what_waited_for_an_answer_that_never_comes_goes_on() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let order_id = shop.order(&customer).await;
    let mut held = shop.database.pool.begin().await.unwrap();
    sqlx::query("lock table orders, outbox").execute(&mut *held).await.unwrap();
    shop.publish(Event::StockReserved(StockReserved { order_id })).await;
    within(SOON, "each connection of the background waits for an answer", || async {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database()
                       and application_name = 'order in the background' and wait_event_type = 'Lock'";
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&shop.database.pool).await.unwrap();
        (waiting == i64::from(BACKGROUND)).then_some(())
    })
    .await;
    shop.to_postgres.silence();
    held.rollback().await.unwrap();
    let requested = within(SOON, "the payment is requested", || shop.broker.take("payment")).await;
    assert!(String::from_utf8(requested).unwrap().contains(&order_id.to_string()));
}

#[tokio::test]
async fn while_the_way_to_the_broker_falls_silent_events_wait_and_come() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let order_id = shop.order(&customer).await;
    shop.to_broker.silence();
    shop.publish(Event::StockReserved(StockReserved { order_id })).await;
    let requested = within(SOON, "the payment is requested", || shop.broker.take("payment")).await;
    assert!(String::from_utf8(requested).unwrap().contains(&order_id.to_string()));
}
