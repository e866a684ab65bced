use reqwest::Method;

use crate::shop::Shop;

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let shop = Shop::open().await;
    let unknown = shop.anonymous.get(&format!("/api/v1/products/{}", shop.clock.new_id())).await;
    assert_eq!((unknown.status, unknown.code()), (404, "product_not_found"));
    let malformed = shop.anonymous.get("/api/v1/products/mug").await;
    assert_eq!((malformed.status, malformed.code()), (404, "malformed_id"));
    let elsewhere = shop.anonymous.get("/api/v1/product").await;
    assert_eq!((elsewhere.status, elsewhere.code()), (404, "route_not_found"));
    let method = shop.anonymous.send(Method::PATCH, "/api/v1/products", None).await;
    assert_eq!((method.status, method.code()), (405, "method_not_allowed"));
}

#[tokio::test]
async fn who_has_the_product_as_it_is_gets_no_body() {
    let shop = Shop::open().await;
    let path = format!("/api/v1/products/{}", shop.product(5).await);
    let first = shop.anonymous.get(&path).await;
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(tag, "\"1-5\"");
    for known in [tag.clone(), format!("W/{tag}"), format!("\"0-0\", {tag}"), "*".to_owned()] {
        let again = shop.anonymous.clone().with("if-none-match", known.clone()).get(&path).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
    }
    let other = shop.anonymous.clone().with("if-none-match", "\"0-5\"").get(&path).await;
    assert_eq!((other.status, other.body), (200, first.body));
}

#[tokio::test]
async fn a_changed_stock_is_another_tag() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let path = format!("/api/v1/products/{id}");
    let tag = shop.anonymous.get(&path).await.header("etag").unwrap().to_owned();
    shop.set_stock(id, 4).await;
    let again = shop.anonymous.clone().with("if-none-match", tag).get(&path).await;
    assert_eq!((again.status, again.header("etag")), (200, Some("\"1-4\"")));
}
