use ecommerce_contract::Event;
use serde_json::json;

use crate::messages::bring_to_paid;
use crate::shop::Shop;

#[tokio::test]
async fn an_order_that_is_not_paid_is_not_fulfilled() {
    let shop = Shop::open().await;
    let id = shop.order(&shop.customer()).await;
    let answer = shop.staff().post(&format!("/api/v1/orders/{id}/fulfil"), json!(null)).await;
    assert_eq!((answer.status, answer.code()), (409, "order_state"));
}

#[tokio::test]
async fn a_customer_does_not_fulfil() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = shop.order(&customer).await;
    let answer = customer.post(&format!("/api/v1/orders/{id}/fulfil"), json!(null)).await;
    assert_eq!((answer.status, answer.code()), (403, "role_required"));
}

#[tokio::test]
async fn cancelling_a_fulfilled_order_is_refused() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = bring_to_paid(&shop, &customer).await;
    let fulfilled = shop.staff().post(&format!("/api/v1/orders/{id}/fulfil"), json!(null)).await;
    assert_eq!((fulfilled.status, &fulfilled.body["status"]), (200, &json!("fulfilled")));
    let answer = customer.post(&format!("/api/v1/orders/{id}/cancel"), json!(null)).await;
    assert_eq!((answer.status, answer.code()), (409, "order_state"));
}

/// Payment holds nothing for it any more, and would take a word of its end for a close.
#[tokio::test]
async fn that_an_order_is_sent_product_is_told_once_and_payment_is_not() {
    let shop = Shop::open().await;
    let id = bring_to_paid(&shop, &shop.customer()).await;
    for _ in 0..2 {
        let fulfilled = shop.staff().post(&format!("/api/v1/orders/{id}/fulfil"), json!(null)).await;
        assert_eq!(fulfilled.status, 200, "{}", fulfilled.body);
    }
    let Event::OrderFulfilled(told) = shop.published_to("product").await.event else { panic!("order.fulfilled") };
    assert_eq!(told.order_id, id);
    // What comes after shows that what came before is there.
    let next = shop.order(&shop.customer()).await;
    shop.staff().post(&format!("/api/v1/orders/{next}/cancel"), json!(null)).await;
    for reader in ["product", "payment"] {
        let event = shop.published_to(reader).await.event;
        assert!(matches!(&event, Event::OrderClosed(closed) if closed.order_id == next), "{reader}: {event:?}");
    }
}
