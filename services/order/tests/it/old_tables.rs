//! A database of the commit in `local/old-commit`, with orders of every status, brought to this one's tables.

use std::collections::BTreeSet;

use ecommerce_contract::Event;
use ecommerce_testing::Database;
use serde_json::json;

use crate::shop::Shop;

const OLD: &str = include_str!("../../../../migrations/old/order.sql");

#[tokio::test]
async fn orders_of_old_tables_are_read_and_go_on() {
    let shop = Shop::open_on(Database::restore(OLD, order::migrations()).await).await;
    let page = shop.staff().get("/api/v1/orders?limit=100").await;
    let orders = page.body["items"].as_array().unwrap();
    let statuses: BTreeSet<&str> = orders.iter().map(|order| order["status"].as_str().unwrap()).collect();
    assert_eq!(orders.len(), 24);
    assert!(statuses.is_superset(&BTreeSet::from(["paid", "fulfilled", "rejected", "cancelled", "payment_failed"])));

    let paid = orders.iter().find(|order| order["status"] == "paid").unwrap()["id"].as_str().unwrap();
    let fulfilled = shop.staff().post(&format!("/api/v1/orders/{paid}/fulfil"), json!(null)).await;
    assert_eq!((fulfilled.status, &fulfilled.body["status"]), (200, &json!("fulfilled")));
    let told = ecommerce_testing::eventually("product is told", || async {
        let event = shop.published_to("product").await.event;
        matches!(event, Event::OrderFulfilled(_)).then_some(event)
    });
    assert_eq!(told.await.order_id().to_string(), paid);
}
