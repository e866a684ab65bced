use ecommerce_contract::Event;
use ecommerce_contract::events::ClosedAs;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn a_cancelled_order_is_told_to_those_who_hold_something_for_it() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = shop.order(&customer).await;
    let answer = customer.post(&format!("/api/v1/orders/{id}/cancel"), json!(null)).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("cancelled")));
    assert_eq!(answer.body["items"].as_array().unwrap().len(), 1);
    for reader in ["product", "payment"] {
        let Event::OrderClosed(closed) = shop.published_to(reader).await.event else {
            panic!("order.closed for {reader}")
        };
        assert_eq!((closed.order_id, closed.outcome), (id, ClosedAs::Cancelled));
    }
}

#[tokio::test]
async fn cancelling_twice_tells_once() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = shop.order(&customer).await;
    for _ in 0..2 {
        assert_eq!(customer.post(&format!("/api/v1/orders/{id}/cancel"), json!(null)).await.status, 200);
    }
    assert_eq!(shop.published_to("product").await.event.order_id(), id);
    let next = shop.order(&customer).await;
    shop.published_to("payment").await;
    customer.post(&format!("/api/v1/orders/{next}/cancel"), json!(null)).await;
    assert_eq!(shop.published_to("payment").await.event.order_id(), next, "nothing more about the first");
}

#[tokio::test]
async fn nobody_cancels_an_order_of_somebody_else() {
    let shop = Shop::open().await;
    let id = shop.order(&shop.customer()).await;
    let answer = shop.customer().post(&format!("/api/v1/orders/{id}/cancel"), json!(null)).await;
    assert_eq!((answer.status, answer.code()), (404, "order_not_found"));
}
