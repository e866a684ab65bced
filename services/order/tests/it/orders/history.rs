use serde_json::{Value, json};

use crate::messages::bring_to_paid;
use crate::shop::Shop;

#[tokio::test]
async fn a_history_says_who_changed_an_order_when_and_why() {
    let shop = Shop::open().await;
    let (customer, staff) = (shop.customer(), shop.staff());
    let id = bring_to_paid(&shop, &customer).await;
    staff.post(&format!("/api/v1/orders/{id}/fulfil"), json!(null)).await;
    let read = customer.get(&format!("/api/v1/orders/{id}/history")).await;
    assert_eq!(read.status, 200, "{}", read.body);
    let steps = read.body["items"].as_array().unwrap();
    let told: Vec<_> = steps.iter().map(|step| (&step["version"], &step["status"], &step["by"])).collect();
    let (theirs, by_staff) = (json!(customer.user_id()), json!(staff.user_id()));
    assert_eq!(
        told,
        [
            (&json!(1), &json!("pending"), &theirs),
            (&json!(2), &json!("awaiting_payment"), &Value::Null),
            (&json!(3), &json!("paid"), &Value::Null),
            (&json!(4), &json!("fulfilled"), &by_staff),
        ]
    );
    assert!(steps.iter().map(|step| step["at"].as_str().unwrap()).is_sorted());
    assert_eq!(staff.get(&format!("/api/v1/orders/{id}/history")).await.body, read.body);
}

#[tokio::test]
async fn who_cancelled_an_order_is_in_its_history() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let other = shop.order(&customer).await;
    customer.post(&format!("/api/v1/orders/{other}/cancel"), json!(null)).await;
    let ended = customer.get(&format!("/api/v1/orders/{other}/history")).await.body;
    let last = ended["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["status"], &last["by"]), (&json!("cancelled"), &json!(customer.user_id())));
}

#[tokio::test]
async fn the_history_of_anothers_order_is_not_there() {
    let shop = Shop::open().await;
    let id = shop.order(&shop.customer()).await;
    let answer = shop.customer().get(&format!("/api/v1/orders/{id}/history")).await;
    assert_eq!((answer.status, answer.code()), (404, "order_not_found"));
}
