use crate::shop::Shop;

#[tokio::test]
async fn somebody_elses_order_is_not_there() {
    let shop = Shop::open().await;
    let (ada, eve) = (shop.customer(), shop.customer());
    let path = format!("/api/v1/orders/{}", shop.order(&ada).await);
    assert_eq!(ada.get(&path).await.status, 200);
    let answer = eve.get(&path).await;
    assert_eq!((answer.status, answer.code()), (404, "order_not_found"));
    assert_eq!(shop.staff().get(&path).await.status, 200);
}

#[tokio::test]
async fn an_unknown_id_and_one_that_is_none_name_nothing() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let unknown = customer.get("/api/v1/orders/0192d1b2-0000-7000-8000-000000000001").await;
    assert_eq!((unknown.status, unknown.code()), (404, "order_not_found"));
    let malformed = customer.get("/api/v1/orders/1").await;
    assert_eq!((malformed.status, malformed.code()), (404, "malformed_id"));
    assert_eq!(customer.get("/api/v1/nothing").await.code(), "route_not_found");
    let method = customer.send(reqwest::Method::DELETE, "/api/v1/orders", None).await;
    assert_eq!((method.status, method.code()), (405, "method_not_allowed"));
}
