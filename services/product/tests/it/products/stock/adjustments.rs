use ecommerce_types::ProductId;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::shop::Shop;

fn path(id: ProductId) -> String {
    format!("/api/v1/products/{id}/stock/adjustments")
}

#[tokio::test]
async fn an_adjustment_has_a_name_a_number_and_a_reason() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let good = json!({ "by": -1, "reason": "broken" });
    let missing = shop.staff.post(&path(id), good.clone()).await;
    assert_eq!((missing.status, missing.code()), (400, "idempotency_key_missing"));
    for malformed in [String::new(), "x".repeat(256)] {
        let answer = shop.staff.with_idempotency_key(malformed).post(&path(id), good.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, "idempotency_key_malformed"));
    }
    let staff = shop.staff.with_idempotency_key("a-key");
    for (body, status, code) in [
        ("{", 400, "malformed_json"),
        (r#"{"by":1}"#, 422, "invalid_body"),
        (r#"{"by":0,"reason":"none"}"#, 422, "invalid_body"),
        (r#"{"by":"1","reason":"text"}"#, 422, "invalid_body"),
        (r#"{"by":1,"reason":""}"#, 422, "invalid_body"),
        ("{\"by\":1,\"reason\":\"bro\u{202e}ken\"}", 422, "invalid_body"),
        (r#"{"by":1,"reason":"more","on_hand":7}"#, 422, "invalid_body"),
        (r#"{"by":1000000000,"reason":"more than fits"}"#, 422, "stock_too_large"),
        (r#"{"by":-6,"reason":"more than there is"}"#, 409, "stock_below_reserved"),
    ] {
        let answer = staff.send(Method::POST, &path(id), Some(body.to_owned())).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    let customer = shop.customer.with_idempotency_key("a-key");
    assert_eq!(customer.post(&path(id), good.clone()).await.code(), "role_required");
    assert_eq!(staff.post(&path(ProductId::new(&shop.clock)), good).await.code(), "product_not_found");
    assert_eq!(shop.stock(id).await, (5, 0));
}

#[tokio::test]
async fn sent_again_it_is_answered_byte_for_byte_and_made_once() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let staff = shop.staff.with_idempotency_key("a-key");
    let body = json!({ "by": 3, "reason": "a delivery" });
    let first = staff.post(&path(id), body.clone()).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.body["stock"], json!({ "on_hand": 8, "reserved": 0, "available": 8 }));
    // The same meaning in another order of words.
    let again = staff.send(Method::POST, &path(id), Some(r#"{"reason":"a delivery", "by":3}"#.to_owned())).await;
    assert_eq!((again.status, &again.bytes), (201, &first.bytes));
    let other = staff.post(&path(id), json!({ "by": 4, "reason": "a delivery" })).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
    assert_eq!(shop.stock(id).await, (8, 0));
    assert_eq!(shop.available(id).await, 8);
    // Another product is another write.
    let elsewhere = shop.product(0).await;
    assert_eq!(staff.post(&path(elsewhere), body).await.status, 201);
}

#[tokio::test]
async fn sent_many_times_at_once_it_is_made_once() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let staff = shop.staff.with_idempotency_key("a-key");
    let path = path(id);
    let answers = join_all((0..20).map(|_| staff.post(&path, json!({ "by": 1, "reason": "found" })))).await;
    for answer in &answers {
        assert!(answer.status == 201 || answer.code() == "idempotency_key_in_use", "{}", answer.body);
    }
    let made: std::collections::BTreeSet<_> =
        answers.iter().filter(|answer| answer.status == 201).map(|answer| &answer.bytes).collect();
    assert_eq!(made.len(), 1);
    assert_eq!(shop.stock(id).await, (6, 0));
}

#[tokio::test]
async fn pieces_that_are_promised_are_not_taken_out() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    shop.broker.publish(&shop.placed(shop.order_id(), &[(id, 3)])).await;
    shop.broker.next("order").await;
    let take = async |key: &str, by: i64| {
        shop.staff.with_idempotency_key(key).post(&path(id), json!({ "by": by, "reason": "broken" })).await
    };
    let refused = take("one", -3).await;
    assert_eq!((refused.status, refused.code()), (409, "stock_below_reserved"));
    assert_eq!(take("two", -2).await.status, 201);
    assert_eq!(shop.stock(id).await, (3, 3));
}
