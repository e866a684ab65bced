//! What people do in a shop, from the first login to the last refusal.

use std::time::Duration;

use e2e::{Person, cluster, within};
use serde_json::json;

#[tokio::test]
async fn the_stack_says_that_it_is_ready_and_on_the_simulator() {
    let status = cluster::ready_stack().await.status.expect("a status");
    let condition =
        |kind: &str| status.conditions.iter().find(|condition| condition.type_ == kind).expect("the condition");
    for kind in ["Ready", "BackendsReady", "Migrated", "ServicesReady"] {
        assert_eq!(condition(kind).status, "True", "{kind}: {}", condition(kind).message);
    }
    assert!(condition("Ready").message.contains("simulator"), "{}", condition("Ready").message);
    assert_eq!(status.services.len(), 5);
}

#[tokio::test]
async fn an_order_is_reserved_paid_and_taken_from_the_stock() {
    let admin = Person::admin().await;
    let product = admin.sell(5).await;
    let ada = Person::customer().await;
    let order = ada.order(&product, 2, None).await;
    let awaiting = ada.reaches(&order, "awaiting_payment").await;
    assert_eq!(awaiting["total"], json!({ "amount": 2500, "currency": "EUR" }));

    let payment = awaiting["payment_id"].as_str().expect("a payment").to_owned();
    within(Duration::from_secs(10), "the payment is there", || async {
        (ada.get(&format!("/api/v1/payments/{payment}")).await.status == 200).then_some(())
    })
    .await;
    let paid =
        ada.post_once(&format!("/api/v1/payments/{payment}/pay"), &json!({ "payment_method": "tok_success" })).await;
    assert_eq!(paid.status, 200, "{}", paid.body);
    ada.reaches(&order, "paid").await;
    ada.sees_available(&product, 3).await;

    let too_many = ada.order(&product, 9, None).await;
    ada.reaches(&too_many, "rejected").await;
    ada.sees_available(&product, 3).await;

    let eve = Person::customer().await;
    for path in [format!("/api/v1/orders/{order}"), format!("/api/v1/payments/{payment}")] {
        assert_eq!(eve.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(eve.post(&format!("/api/v1/orders/{order}/cancel"), &json!({})).await.status, 404);
}

#[tokio::test]
async fn a_declined_payment_ends_the_order_and_gives_its_stock_back() {
    let product = Person::admin().await.sell(5).await;
    let ada = Person::customer().await;
    let order = ada.order(&product, 2, Some("tok_declined")).await;
    ada.reaches(&order, "payment_failed").await;
    ada.sees_available(&product, 5).await;
}

#[tokio::test]
async fn a_cancelled_order_gives_money_and_stock_back() {
    let product = Person::admin().await.sell(5).await;
    let ada = Person::customer().await;
    let order = ada.order(&product, 2, Some("tok_success")).await;
    ada.reaches(&order, "paid").await;
    let cancelled = ada.post(&format!("/api/v1/orders/{order}/cancel"), &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    within(Duration::from_secs(30), "the money went back", || async {
        (ada.get(&format!("/api/v1/orders/{order}")).await.body["amount_refunded"] == 2500).then_some(())
    })
    .await;
    ada.sees_available(&product, 5).await;
}

#[tokio::test]
async fn nobody_gets_further_than_their_token() {
    let product = Person::admin().await.sell(5).await;
    let nobody = Person::nobody();
    let body = json!({ "items": [{ "product_id": product, "quantity": 1 }] });
    assert_eq!(nobody.post_once("/api/v1/orders", &body).await.status, 401);
    assert_eq!(nobody.get("/api/v1/orders").await.status, 401);

    let ada = Person::customer().await;
    let token = ada.token().expect("a token");
    // In the middle of the signature: its last character says less than six bits, and not every one can stand there.
    let (before, after) = token.split_at(token.len() - 40);
    let other = if after.starts_with('A') { "B" } else { "A" };
    let tampered = ada.with_token(format!("{before}{other}{}", &after[1..]));
    assert_eq!(tampered.get("/api/v1/auth/me").await.status, 401);

    let logged_out = ada.post("/api/v1/auth/logout", &json!({})).await;
    assert_eq!(logged_out.status, 204);
    within(Duration::from_secs(5), "the session has ended everywhere", || async {
        (ada.get("/api/v1/auth/me").await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_forged_role_changes_nothing() {
    let ada = Person::customer().await;
    let product = json!({
        "sku": "FORGED", "name": "Mug", "description": "", "category": "kitchen", "attributes": {},
        "price": { "amount": 1, "currency": "EUR" }
    })
    .to_string();
    for name in ["x-user-roles", "X_User_Roles", "x-user_roles"] {
        let answer = ada
            .send(
                reqwest::Method::POST,
                "/api/v1/products",
                &[(name, "admin"), ("connection", "x-user-roles")],
                Some(product.clone()),
            )
            .await;
        assert_eq!((answer.status, answer.code()), (403, "role_required"), "{name}: {}", answer.body);
    }
    let internal = ada.get("/internal/products?ids=0192d1b2-0000-7000-8000-000000000001").await;
    assert_eq!(internal.status, 404);
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_with_what_to_do() {
    let ada = Person::customer().await;
    let malformed =
        ada.send(reqwest::Method::POST, "/api/v1/orders", &[("idempotency-key", "k")], Some("{".to_owned())).await;
    assert_eq!((malformed.status, malformed.code()), (400, "malformed_json"));
    let large = format!("{{\"items\": \"{}\"}}", "x".repeat(2_000_000));
    let large = ada.send(reqwest::Method::POST, "/api/v1/orders", &[("idempotency-key", "k")], Some(large)).await;
    assert_eq!((large.status, large.code()), (413, "body_too_large"));
    let no_key = ada.post("/api/v1/orders", &json!({ "items": [] })).await;
    assert_eq!((no_key.status, no_key.code()), (400, "idempotency_key_missing"));
    let unknown = ada.get("/api/v1/orders/0192d1b2-0000-7000-8000-000000000001").await;
    assert_eq!((unknown.status, unknown.code()), (404, "order_not_found"));
    assert_eq!(unknown.headers["content-type"], "application/problem+json");
    assert!(unknown.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn a_hundred_buyers_of_the_last_ten_get_ten() {
    let product = Person::admin().await.sell(10).await;
    let ada = Person::customer().await;
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (ada, product) = (ada.clone(), product.clone());
        buyers.spawn(async move {
            let order = ada.order(&product, 1, Some("tok_success")).await;
            let path = format!("/api/v1/orders/{order}");
            within(Duration::from_mins(1), "the order ends", || async {
                let status = ada.get(&path).await.body["status"].as_str()?.to_owned();
                ["paid", "rejected"].contains(&status.as_str()).then_some(status)
            })
            .await
        });
    }
    let ends = buyers.join_all().await;
    assert_eq!(ends.iter().filter(|end| *end == "paid").count(), 10);
    ada.sees_available(&product, 0).await;
}
