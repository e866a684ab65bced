//! People and what they may do: felt at the door within a second.

use std::time::Duration;

use e2e::person::unique;
use e2e::{Person, within};
use reqwest::Method;
use serde_json::{Value, json};

/// Longer than an answer of Redis is remembered, and a moment to ask.
const A_SECOND: Duration = Duration::from_millis(1_500);

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";

async fn put_roles(admin: &Person, user: &str, roles: Value) -> Value {
    let body = json!({ "roles": roles }).to_string();
    let answer = admin.send(Method::PUT, &format!("/api/v1/users/{user}/roles"), &[], Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn is_refused(person: &Person, path: &str, code: &str) {
    within(A_SECOND, code, || async {
        let answer = person.get(path).await;
        (answer.code() == code).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_colleague_adds_a_product_loses_the_role_and_is_refused_a_second_later() {
    let admin = Person::admin().await;
    let email = format!("grace-{}@example.com", unique());
    let mut body = Person::credentials(&email);
    body["name"] = json!("Grace");
    body["roles"] = json!(["staff"]);
    let made = admin.post("/api/v1/users", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let login = Person::nobody().post(LOGIN, &Person::credentials(&email)).await;
    let grace = Person::nobody().with_token(login.body["access_token"].as_str().expect("a token"));
    let product = grace.sell(3).await;
    assert_eq!(grace.get(&format!("/api/v1/products/{product}/stock")).await.status, 200);

    put_roles(&admin, made.id(), json!(["customer"])).await;
    is_refused(&grace, "/api/v1/orders", "token_outdated").await;
    let next = Person::nobody().post(REFRESH, &json!({ "refresh_token": login.body["refresh_token"] })).await;
    assert_eq!(next.status, 200, "{}", next.body);
    let customer = grace.with_token(next.body["access_token"].as_str().expect("a token"));
    assert_eq!(customer.get("/api/v1/orders").await.status, 200);
    assert_eq!(customer.get(&format!("/api/v1/products/{product}/stock")).await.code(), "role_required");

    assert_eq!(admin.post(&format!("/api/v1/users/{}/disable", made.id()), &json!({})).await.status, 200);
    is_refused(&customer, "/api/v1/orders", "session_ended").await;
    let refused = Person::nobody().post(LOGIN, &Person::credentials(&email)).await;
    assert_eq!(refused.code(), "wrong_credentials");
}

#[tokio::test]
async fn a_person_who_leaves_takes_the_name_along_and_leaves_the_orders() {
    let admin = Person::admin().await;
    let product = admin.sell(5).await;
    let ada = Person::customer().await;
    let order = ada.order(&product, 1, Some("tok_success")).await;
    ada.reaches(&order, "paid").await;
    let user = ada.get("/api/v1/auth/me").await;
    assert_eq!(admin.get(&format!("/api/v1/users/{}", user.id())).await.status, 200);
    assert_eq!(ada.send(Method::DELETE, "/api/v1/auth/me", &[], None).await.status, 204);
    is_refused(&ada, "/api/v1/orders", "session_ended").await;
    assert_eq!(admin.get(&format!("/api/v1/users/{}", user.id())).await.code(), "user_not_found");
    assert_eq!(admin.get(&format!("/api/v1/orders/{order}")).await.body["status"], "paid");
}
