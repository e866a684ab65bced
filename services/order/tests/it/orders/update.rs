use ecommerce_testing::Client;
use ecommerce_types::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::messages::bring_to_paid;
use crate::shop::Shop;

#[tokio::test]
async fn what_is_written_on_an_order_stays_through_all_that_becomes_of_it() {
    let shop = Shop::open().await;
    let (customer, staff) = (shop.customer(), shop.staff());
    let id = bring_to_paid(&shop, &customer).await;
    let path = format!("/api/v1/orders/{id}");
    assert_eq!(customer.get(&path).await.body["metadata"], json!({}));

    let written =
        patch(&staff, &path, json!({ "metadata": { "packed_by": "Ada", "note": "Ring twice.\nThen wait." } })).await;
    assert_eq!((written.0, &written.1["metadata"]["packed_by"]), (200, &json!("Ada")), "{}", written.1);
    staff.post(&format!("{path}/fulfil"), json!(null)).await;
    let read = customer.get(&path).await.body;
    assert_eq!((&read["status"], &read["metadata"]), (&json!("fulfilled"), &written.1["metadata"]));
    assert_eq!(patch(&staff, &path, json!({ "metadata": {} })).await.1["metadata"], json!({}), "all of it is replaced");
    let history = customer.get(&format!("{path}/history")).await.body;
    assert_eq!(history["items"].as_array().unwrap().len(), 4, "it is no step");
}

#[tokio::test]
async fn only_staff_write_on_an_order_that_is_there_and_only_what_fits() {
    let shop = Shop::open().await;
    let (customer, staff) = (shop.customer(), shop.staff());
    let path = format!("/api/v1/orders/{}", shop.order(&customer).await);
    let empty = json!({ "metadata": {} });
    assert_eq!(patch(&customer, &path, empty.clone()).await.0, 403);
    let nowhere = format!("/api/v1/orders/{}", Clock::system().new_id());
    assert_eq!(patch(&staff, &nowhere, empty).await.0, 404);
    for wrong in [
        json!({}),
        json!({ "metadata": null }),
        json!({ "metadata": { "a": 1 } }),
        json!({ "metadata": {}, "status": "paid" }),
    ] {
        let (status, body) = patch(&staff, &path, wrong.clone()).await;
        assert_eq!((status, &body["code"]), (422, &json!("invalid_body")), "{wrong}");
    }
}

async fn patch(client: &Client, path: &str, body: Value) -> (u16, Value) {
    let answer = client.send(Method::PATCH, path, Some(body.to_string())).await;
    (answer.status, answer.body)
}
