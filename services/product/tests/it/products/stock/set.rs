use reqwest::Method;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn a_count_that_is_none_is_refused() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let path = format!("/api/v1/products/{id}/stock");
    for (body, status, code) in [
        ("{", 400, "malformed_json"),
        ("{}", 422, "invalid_body"),
        (r#"{"on_hand":-1}"#, 422, "invalid_body"),
        (r#"{"on_hand":1.5}"#, 422, "invalid_body"),
        (r#"{"on_hand":"5"}"#, 422, "invalid_body"),
        (r#"{"on_hand":1000000001}"#, 422, "invalid_body"),
        (r#"{"on_hand":99999999999999999999}"#, 422, "invalid_body"),
        (r#"{"on_hand":5,"reserved":0}"#, 422, "invalid_body"),
    ] {
        let answer = shop.staff.send(Method::PUT, &path, Some(body.to_owned())).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    let body = || Some(json!({ "on_hand": 9 }).to_string());
    assert_eq!(shop.customer.send(Method::PUT, &path, body()).await.code(), "role_required");
    assert_eq!(shop.set_stock(shop.clock.new_id().into(), 1).await.code(), "product_not_found");
    assert_eq!(shop.stock(id).await, (5, 0));
}

#[tokio::test]
async fn a_count_below_what_is_promised_is_refused() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    shop.broker.publish(&shop.placed(shop.order_id(), &[(id, 3)])).await;
    shop.broker.next("order").await;
    let refused = shop.set_stock(id, 2).await;
    assert_eq!((refused.status, refused.code()), (409, "stock_below_reserved"));
    let set = shop.set_stock(id, 3).await;
    assert_eq!((set.status, set.body), (200, json!({ "on_hand": 3, "reserved": 3, "available": 0 })));
    assert_eq!(shop.available(id).await, 0);
}

#[tokio::test]
async fn who_changed_a_stock_is_written_down() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    shop.set_stock(id, 5).await;
    shop.set_stock(id, 2).await;
    let kept: Vec<(i64, String, uuid::Uuid)> =
        sqlx::query_as("select by, reason, user_id from stock_adjustments where product_id = $1 order by id")
            .bind(id.0)
            .fetch_all(&shop.database.pool)
            .await
            .unwrap();
    let who = shop.staff.user_id().unwrap().0;
    assert_eq!(kept, [(5, "counted".to_owned(), who), (-3, "counted".to_owned(), who)]);
}
