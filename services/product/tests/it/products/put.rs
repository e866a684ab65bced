use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::shop::{Shop, euro};

#[tokio::test]
async fn a_catalogue_that_is_loaded_twice_is_there_once_and_unchanged() {
    let shop = Shop::open().await;
    let body = json!({ "sku": "MUG", "name": "Mug", "category": "kitchen", "price": euro(1250) });
    let made = shop.staff.put("/api/v1/products", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), Some(format!("/api/v1/products/{id}").as_str()));

    let again = shop.staff.put("/api/v1/products", body).await;
    assert_eq!((again.status, &again.body), (200, &made.body), "no other version");
    assert_eq!(again.header("etag"), made.header("etag"));
}

#[tokio::test]
async fn what_is_said_replaces_what_was_said_and_leaves_the_stock() {
    let shop = Shop::open().await;
    let id = shop.cached_product(5).await;
    let sku = shop.anonymous.get(&format!("/api/v1/products/{id}")).await.body["sku"].clone();
    let changed = shop.staff.put("/api/v1/products", json!({ "sku": sku, "name": "Cup", "price": euro(99) })).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let read = shop.anonymous.get(&format!("/api/v1/products/{id}")).await.body;
    assert_eq!(read, changed.body, "the cached one is forgotten");
    assert_eq!(
        (&read["name"], &read["price"]["amount"], &read["stock"]["available"]),
        (&json!("Cup"), &json!(99), &json!(5))
    );
}

#[tokio::test]
async fn a_change_that_stands_on_another_version_is_refused_and_makes_nothing() {
    let shop = Shop::open().await;
    let body = |name: &str| json!({ "sku": "MUG", "name": name, "price": euro(1250) });
    let with = |tag: &str| shop.staff.clone().with("if-match", tag.to_owned());
    let absent = with("\"1-0\"").put("/api/v1/products", body("Mug")).await;
    assert_eq!((absent.status, absent.code()), (412, "version_mismatch"), "there is none");

    let made = shop.staff.put("/api/v1/products", body("Mug")).await;
    let tag = made.header("etag").unwrap();
    assert_eq!(with(tag).put("/api/v1/products", body("Cup")).await.status, 200);
    let late = with(tag).put("/api/v1/products", body("Bowl")).await;
    assert_eq!((late.status, late.code()), (412, "version_mismatch"));
}

#[tokio::test]
async fn many_who_enter_the_same_sku_at_once_enter_one_product() {
    let shop = Shop::open().await;
    let body = json!({ "sku": "MUG", "name": "Mug", "price": euro(1250) });
    let all = join_all((0..20).map(|_| shop.staff.put("/api/v1/products", body.clone()))).await;
    let made = all.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((made, all.iter().filter(|answer| answer.status == 200).count()), (1, 19));
}

#[tokio::test]
async fn a_sku_of_something_archived_is_entered_anew() {
    let shop = Shop::open().await;
    let body = json!({ "sku": "MUG", "name": "Mug", "price": euro(1250) });
    let first = shop.staff.put("/api/v1/products", body.clone()).await.body["id"].clone();
    let path = format!("/api/v1/products/{}", first.as_str().unwrap());
    shop.staff.send(Method::DELETE, &path, None).await;
    let second = shop.staff.put("/api/v1/products", body).await;
    assert_eq!(second.status, 201);
    assert_ne!(second.body["id"], first);
}

#[tokio::test]
async fn a_customer_enters_nothing() {
    let shop = Shop::open().await;
    let body = json!({ "sku": "MUG", "name": "Mug", "price": euro(1250) });
    assert_eq!(shop.customer.put("/api/v1/products", body.clone()).await.status, 403);
    assert_eq!(shop.anonymous.put("/api/v1/products", body).await.status, 401);
}
