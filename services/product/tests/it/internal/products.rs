use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, euro};

#[tokio::test]
async fn order_learns_the_prices_of_what_is_for_sale_and_nothing_of_the_rest() {
    let shop = Shop::open().await;
    let (mug, bowl) = (shop.product(0).await, shop.product(0).await);
    shop.staff.send(Method::DELETE, &format!("/api/v1/products/{bowl}"), None).await;
    let unknown = shop.clock.new_id();
    let answer = shop.order.get(&format!("/internal/products?ids={bowl},{mug},{unknown},{mug}")).await;
    let product = shop.customer.get(&format!("/api/v1/products/{mug}")).await.body;
    let expected = json!([{ "id": mug, "sku": product["sku"], "name": product["name"], "price": euro(1250) }]);
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn a_question_of_a_later_version_is_answered_as_far_as_it_is_understood() {
    let shop = Shop::open().await;
    let mug = shop.product(0).await;
    let answer = shop.order.get(&format!("/internal/products?ids={mug}&currency=EUR")).await;
    assert_eq!((answer.status, &answer.body[0]["id"], answer.body[0]["price"].clone()), (200, &json!(mug), euro(1250)));
}

/// The answer becomes the price that somebody pays.
#[tokio::test]
async fn a_new_price_is_told_at_once() {
    let shop = Shop::open().await;
    let mug = shop.product(0).await;
    for amount in 1..=20 {
        let path = format!("/api/v1/products/{mug}");
        let changed = shop.staff.send(Method::PATCH, &path, Some(json!({ "price": euro(amount) }).to_string())).await;
        assert_eq!(changed.status, 200);
        let answer = shop.order.get(&format!("/internal/products?ids={mug}")).await;
        assert_eq!(answer.body[0]["price"], euro(amount));
    }
}

#[tokio::test]
async fn only_the_key_of_order_opens_it() {
    let shop = Shop::open().await;
    let path = format!("/internal/products?ids={}", shop.clock.new_id());
    assert_eq!(shop.staff.get(&path).await.code(), "api_key_refused");
    assert_eq!(shop.order.get(&path).await.status, 200);
    assert_eq!(shop.order.get("/api/v1/products").await.code(), "api_key_refused");
    let nobody = ecommerce_testing::Client::without_key(shop.address);
    assert_eq!(nobody.get(&path).await.status, 401);
}

#[tokio::test]
async fn a_question_names_ids_and_at_most_a_hundred() {
    let shop = Shop::open().await;
    let many = |count| vec![shop.clock.new_id().to_string(); count].join(",");
    assert_eq!(shop.order.get(&format!("/internal/products?ids={}", many(100))).await.body, Value::Array(vec![]));
    for wrong in [format!("ids={}", many(101)), "ids=".to_owned(), "ids=mug".to_owned(), String::new()] {
        let answer = shop.order.get(&format!("/internal/products?{wrong}")).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_query"), "{}", answer.body);
    }
}
