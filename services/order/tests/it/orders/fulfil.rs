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
