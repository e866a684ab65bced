use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, euro};

#[tokio::test]
async fn what_is_absent_stays_and_null_takes_the_category_away() {
    let shop = Shop::open().await;
    let path = format!("/api/v1/products/{}", shop.product(5).await);
    let change = async |body: Value| shop.staff.send(Method::PATCH, &path, Some(body.to_string())).await;
    let before = shop.anonymous.get(&path).await.body;

    let changed = change(json!({ "category": "kitchen", "price": euro(1300) })).await;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2-5\"")));
    let mut expected = before.clone();
    (expected["category"], expected["price"], expected["version"]) = (json!("kitchen"), euro(1300), json!(2));
    assert_eq!(changed.body, expected);
    assert_eq!(shop.anonymous.get(&path).await.body, expected, "and everybody sees it at once");

    assert_eq!(change(json!({ "category": null })).await.body["category"], Value::Null);
    assert_eq!(change(json!({})).await.body["name"], before["name"]);
}

#[tokio::test]
async fn a_change_that_is_none_is_refused() {
    let shop = Shop::open().await;
    let other = shop.product(0).await;
    let taken = shop.anonymous.get(&format!("/api/v1/products/{other}")).await.body["sku"].clone();
    let path = format!("/api/v1/products/{}", shop.product(0).await);
    for (body, status, code) in [
        ("{", 400, "malformed_json"),
        (r#"{"name":null}"#, 422, "invalid_body"),
        (r#"{"price":{"amount":0,"currency":"EUR"}}"#, 422, "invalid_body"),
        (r#"{"version":7}"#, 422, "invalid_body"),
        (r#"{"stock":{"available":7}}"#, 422, "invalid_body"),
        (&json!({ "sku": taken }).to_string(), 409, "sku_taken"),
    ] {
        let answer = shop.staff.send(Method::PATCH, &path, Some(body.to_owned())).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    assert_eq!(shop.anonymous.get(&path).await.body["version"], 1);
    let unknown = format!("/api/v1/products/{}", shop.clock.new_id());
    assert_eq!(shop.staff.send(Method::PATCH, &unknown, Some("{}".to_owned())).await.code(), "product_not_found");
}

#[tokio::test]
async fn a_change_that_stands_on_an_old_version_is_refused_and_one_across_a_sale_is_not() {
    let shop = Shop::open().await;
    let id = shop.product(5).await;
    let path = format!("/api/v1/products/{id}");
    let body = || Some(json!({ "name": "Mug" }).to_string());
    let tag = shop.anonymous.get(&path).await.header("etag").unwrap().to_owned();
    let staff = shop.staff.clone().with("if-match", tag);
    shop.set_stock(id, 4).await;
    assert_eq!(staff.send(Method::PATCH, &path, body()).await.status, 200);
    for method in [Method::PATCH, Method::DELETE] {
        let late = staff.send(method, &path, body()).await;
        assert_eq!((late.status, late.code()), (412, "version_mismatch"));
    }
    for (value, status) in [("W/\"2-4\"", 412), ("nonsense", 412), ("\"9-4\", \"2-4\"", 200), ("*", 200)] {
        let answer = shop.staff.clone().with("if-match", value).send(Method::PATCH, &path, body()).await;
        assert_eq!(answer.status, status, "{value}");
    }
}

/// Of many that stand on one version, one wins.
#[tokio::test]
async fn of_many_changes_of_one_version_one_is_made() {
    let shop = Shop::open().await;
    let path = format!("/api/v1/products/{}", shop.product(0).await);
    let staff = shop.staff.clone().with("if-match", "\"1-0\"");
    let change = |number: usize| {
        let (staff, path) = (staff.clone(), path.clone());
        async move { staff.send(Method::PATCH, &path, Some(json!({ "name": format!("Mug {number}") }).to_string())).await }
    };
    let answers = join_all((0..10).map(change)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), 9);
}

#[tokio::test]
async fn the_sku_of_an_archived_product_may_be_given_to_another() {
    let shop = Shop::open().await;
    let (archived, other) = (shop.product(0).await, shop.product(0).await);
    let sku = shop.anonymous.get(&format!("/api/v1/products/{archived}")).await.body["sku"].clone();
    shop.staff.send(Method::DELETE, &format!("/api/v1/products/{archived}"), None).await;
    let body = json!({ "sku": sku }).to_string();
    let changed = shop.staff.send(Method::PATCH, &format!("/api/v1/products/{other}"), Some(body)).await;
    assert_eq!((changed.status, &changed.body["sku"]), (200, &sku));
}
