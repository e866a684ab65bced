//! `GET /api/v1/payments/{id}`

use ecommerce_types::PaymentId;
use serde_json::json;

use crate::shop::{Shop, path};

#[tokio::test]
async fn what_names_no_payment_of_yours_is_not_found() {
    let shop = Shop::open().await;
    let others = shop.awaiting(&shop.customer()).await.payment_id;
    let customer = shop.customer();
    for (path, code) in [
        (path(PaymentId::new(&shop.clock)), "payment_not_found"),
        (path(others), "payment_not_found"),
        ("/api/v1/payments/12".to_owned(), "malformed_id"),
    ] {
        let answer = customer.get(&path).await;
        assert_eq!((answer.status, answer.code()), (404, code), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn a_payment_is_read_by_its_customer_and_by_staff() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.awaiting(&customer).await;
    let answer = customer.get(&path(wanted.payment_id)).await;
    assert_eq!(answer.status, 200);
    let pay_by = answer.body["pay_by"].clone();
    assert_eq!(
        answer.body,
        json!({
            "id": wanted.payment_id, "order_id": wanted.order_id, "status": "awaiting_payment",
            "amount": { "amount": 1250, "currency": "EUR" }, "amount_captured": 0, "amount_refunded": 0,
            "pay_by": pay_by, "created_at": answer.body["created_at"],
        })
    );
    assert!(pay_by.as_str().unwrap().ends_with('Z'));
    assert_eq!(shop.staff().get(&path(wanted.payment_id)).await.body, answer.body);
}
