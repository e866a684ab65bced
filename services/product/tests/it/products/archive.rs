use reqwest::Method;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn what_is_archived_is_gone_for_everybody_but_the_warehouse() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let path = format!("/api/v1/products/{id}");
    let order_id = shop.order_id();
    shop.broker.publish(&shop.placed(order_id, &[(id, 2)])).await;
    shop.broker.next("order").await;
    assert_eq!(shop.available(id).await, 3);

    let archived = shop.staff.send(Method::DELETE, &path, None).await;
    assert_eq!((archived.status, archived.bytes.len()), (204, 0));
    assert_eq!(shop.anonymous.get(&path).await.code(), "product_not_found");
    assert_eq!(shop.anonymous.get("/api/v1/products").await.body["items"], json!([]));
    for method in [Method::PATCH, Method::DELETE] {
        assert_eq!(shop.staff.send(method, &path, Some("{}".to_owned())).await.code(), "product_not_found");
    }
    // What is promised is still kept.
    assert_eq!(shop.stock(id).await, (5, 2));
    shop.broker.publish(&shop.paid(order_id)).await;
    shop.eventually_stock(id, 3, 0).await;
}
