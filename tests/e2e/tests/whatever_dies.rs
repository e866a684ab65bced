//! An accepted order reaches an end, nothing is sold twice and nothing is kept that was not sold, whatever dies on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e::person::unique;
use e2e::{Person, cluster, within};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const STOCK: usize = 200;
/// People who buy one piece after the other for as long as things die.
const BUYERS: usize = 10;

/// Cards of a buyer that are declined: after twenty in an hour the good ones would be as well.
const DECLINED: usize = 15;

/// How long a buyer goes on trying: a store that was killed takes its time to come back.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn every_accepted_order_ends_and_the_stock_adds_up_while_everything_is_killed_in_turn() {
    cluster::ready_stack().await;
    let admin = Person::admin().await;
    let product = admin.sell(u32::try_from(STOCK).unwrap()).await;
    let ada = Person::customer().await;
    let over = Arc::new(AtomicBool::new(false));
    let mut buyers = JoinSet::new();
    for _ in 0..BUYERS {
        let (buyer, product, over) = (Person::customer().await, product.clone(), over.clone());
        buyers.spawn(async move {
            let mut orders = Vec::new();
            while !over.load(Ordering::SeqCst) {
                orders.push(buy(&buyer, &product, orders.len()).await);
            }
            orders
        });
    }
    for part in ["payment", "product", "order", "rabbitmq", "gateway", "postgres"] {
        assert!(cluster::kill(part).await > 0, "there is no {part} to kill");
        // The next one dies when something has come of the last one's death.
        let killed = unique();
        within(PATIENCE, &format!("an order is taken after {part} died"), || async {
            (place(&ada, &product, "tok_declined", &killed).await.is_some()).then_some(())
        })
        .await;
    }
    over.store(true, Ordering::SeqCst);
    let orders: Vec<Value> = buyers.join_all().await.into_iter().flatten().collect();
    let paid = orders.iter().filter(|order| order["status"] == "paid").count();
    assert!(paid <= STOCK, "{paid} orders were paid of {STOCK} pieces");
    ada.sees_available(&product, u32::try_from(STOCK - paid).unwrap()).await;
    for order in orders.iter().filter(|order| order["status"] == "paid") {
        let path = format!("/api/v1/payments/{}", order["payment_id"].as_str().unwrap());
        let payment = within(PATIENCE, "the payment is there", || async {
            let payment = admin.try_get(&path).await?;
            (payment.status == 200).then_some(payment.body)
        })
        .await;
        assert_eq!(payment["status"], "captured", "{payment}");
    }
}

/// Orders one piece, again and again under the same key until the shop takes it, and waits until the order has ended.
async fn buy(ada: &Person, product: &str, number: usize) -> Value {
    let is_declined = number.is_multiple_of(3) && number < 3 * DECLINED;
    let method = if is_declined { "tok_declined" } else { "tok_success" };
    let key = unique();
    let order = within(PATIENCE, "the shop takes an order", || async { place(ada, product, method, &key).await }).await;
    let path = format!("/api/v1/orders/{order}");
    within(PATIENCE, &format!("order {order} ends"), || async {
        let order = ada.try_get(&path).await?;
        let ended = ["paid", "rejected", "payment_failed"].contains(&order.body["status"].as_str()?);
        ended.then_some(order.body)
    })
    .await
}

async fn place(ada: &Person, product: &str, method: &str, key: &str) -> Option<String> {
    let body = json!({ "items": [{ "product_id": product, "quantity": 1 }], "payment_method": method }).to_string();
    let answer = ada.try_send(Method::POST, "/api/v1/orders", &[("idempotency-key", key)], Some(body)).await?;
    (answer.status == 201).then(|| answer.id().to_owned())
}
