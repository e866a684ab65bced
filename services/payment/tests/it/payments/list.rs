//! `GET /api/v1/payments`

use ecommerce_testing::Client;
use ecommerce_types::OrderId;
use serde_json::{Value, json};
use time::Duration;

use crate::shop::Shop;

#[tokio::test]
async fn a_query_that_means_nothing_is_refused() {
    let shop = Shop::open().await;
    for (query, code) in [
        ("limit=0", "invalid_query"),
        ("limit=many", "invalid_query"),
        ("order_id=12", "invalid_query"),
        ("cursor=forged", "invalid_cursor"),
    ] {
        let answer = shop.customer().get(&format!("/api/v1/payments?{query}")).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{query}");
    }
}

#[tokio::test]
async fn a_parameter_that_nobody_knows_is_passed_over() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.awaiting(&customer).await;
    let found = ids(&customer, "/api/v1/payments?utm_source=mail&order=12&flag&utm_source=%FF").await;
    assert_eq!(found, [json!(wanted.payment_id)]);
}

#[tokio::test]
async fn a_customer_finds_the_payment_of_an_own_order_and_of_no_other() {
    let shop = Shop::open().await;
    let (customer, other) = (shop.customer(), shop.customer());
    let wanted = shop.awaiting(&customer).await;
    let of_order = |order: OrderId| format!("/api/v1/payments?order_id={order}");
    assert_eq!(ids(&customer, &of_order(wanted.order_id)).await, [json!(wanted.payment_id)]);
    assert_eq!(ids(&shop.staff(), &of_order(wanted.order_id)).await, [json!(wanted.payment_id)]);
    assert!(ids(&other, &of_order(wanted.order_id)).await.is_empty());
    assert!(ids(&other, "/api/v1/payments").await.is_empty());
    assert!(ids(&customer, &of_order(OrderId::new(&shop.clock))).await.is_empty());
}

#[tokio::test]
async fn pages_come_newest_first_and_neither_repeat_nor_skip() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let mut expected = Vec::new();
    for _ in 0..5 {
        shop.clock.advance(Duration::milliseconds(1));
        expected.insert(0, json!(shop.awaiting(&customer).await.payment_id));
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = customer.get(&format!("/api/v1/payments?limit=2{cursor}")).await.body;
        found.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, expected);
}

async fn ids(client: &Client, path: &str) -> Vec<Value> {
    let answer = client.get(path).await;
    assert_eq!((answer.status, &answer.body["next_cursor"]), (200, &Value::Null));
    answer.body["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
}

/// As a newer version may have written it.
#[tokio::test]
async fn a_page_shows_the_others_where_one_payment_does_not_read() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    shop.as_owner("alter table payments drop constraint payments_currency_check").await;
    let mut wanted = Vec::new();
    for _ in 0..3 {
        wanted.push(shop.awaiting(&customer).await.payment_id);
        shop.clock.advance(Duration::milliseconds(1));
    }
    let changed = sqlx::query("update payments set currency = 'of another version' where id = $1");
    changed.bind(wanted[2].0).execute(&shop.database.pool).await.unwrap();
    let first = customer.get("/api/v1/payments?limit=2").await;
    assert_eq!((first.status, first.body["items"].as_array().unwrap().len()), (200, 1));
    assert_eq!(first.body["items"][0]["id"], wanted[1].to_string());
    let second = format!("/api/v1/payments?limit=2&cursor={}", first.body["next_cursor"].as_str().unwrap());
    assert_eq!(customer.get(&second).await.body["items"][0]["id"], wanted[0].to_string());
}
