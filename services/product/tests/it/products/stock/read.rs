use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn staff_see_what_is_there_what_is_promised_and_what_is_left() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let path = format!("/api/v1/products/{id}/stock");
    shop.broker.publish(&shop.placed(shop.order_id(), &[(id, 2)])).await;
    shop.broker.next("order").await;
    assert_eq!(shop.staff.get(&path).await.body, json!({ "on_hand": 5, "reserved": 2, "available": 3 }));
    assert_eq!(shop.customer.get(&path).await.code(), "role_required");
    assert_eq!(shop.anonymous.get(&path).await.code(), "login_required");
    let unknown = format!("/api/v1/products/{}/stock", shop.clock.new_id());
    assert_eq!(shop.staff.get(&unknown).await.code(), "product_not_found");
}

#[tokio::test]
async fn a_stock_has_a_tag_that_changes_with_whatever_is_in_it() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let path = format!("/api/v1/products/{id}/stock");
    let first = shop.staff.get(&path).await;
    assert_eq!(first.header("etag"), Some("\"5-0\""));
    let knowing = shop.staff.clone().with("if-none-match", "\"5-0\"");
    let known = knowing.get(&path).await;
    assert_eq!((known.status, known.bytes.len(), known.header("etag")), (304, 0, Some("\"5-0\"")));
    shop.broker.publish(&shop.placed(shop.order_id(), &[(id, 2)])).await;
    shop.broker.next("order").await;
    let reserved = knowing.get(&path).await;
    assert_eq!((reserved.status, reserved.header("etag")), (200, Some("\"5-2\"")));
}
