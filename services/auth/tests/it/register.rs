//! `POST /api/v1/auth/register`

use serde_json::json;

use crate::shop::{PASSWORD, Shop};

#[tokio::test]
async fn whoever_registers_is_a_customer() {
    let shop = Shop::open().await;
    let answer = shop.register("Ada@Example.com").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let mut user = answer.body.clone();
    assert_eq!(user["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap().get_version_num(), 7);
    assert!(user["created_at"].as_str().unwrap().ends_with('Z'));
    user["id"].take();
    user["created_at"].take();
    assert_eq!(
        user,
        json!({
            "id": null, "email": "ada@example.com", "name": "Ada Lovelace", "roles": ["customer"], "created_at": null,
        })
    );
}

#[tokio::test]
async fn one_address_has_one_account_whatever_its_capitals() {
    let shop = Shop::open().await;
    assert_eq!(shop.register("ada@example.com").await.status, 201);
    let again = shop.register("ADA@example.com").await;
    assert_eq!((again.status, again.code()), (409, "email_taken"));
}

#[tokio::test]
async fn of_many_who_register_one_address_at_once_one_has_it() {
    let shop = Shop::open().await;
    let answers = tokio::join!(
        shop.register("ada@example.com"),
        shop.register("ada@example.com"),
        shop.register("ada@example.com"),
        shop.register("ada@example.com"),
    );
    let mut statuses = [answers.0.status, answers.1.status, answers.2.status, answers.3.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

#[tokio::test]
async fn nobody_registers_as_more_than_a_customer() {
    let shop = Shop::open().await;
    let body = json!({ "email": "eve@example.com", "password": PASSWORD, "name": "Eve", "roles": ["admin"] });
    let answer = shop.anonymous.post("/api/v1/auth/register", body).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid_body"));
}

#[tokio::test]
async fn what_is_kept_of_a_password_is_its_argon2id_hash() {
    let shop = Shop::open().await;
    shop.register("ada@example.com").await;
    let hash = shop.password_hash().await;
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}

#[tokio::test]
async fn each_field_that_is_wrong_is_named_with_what_it_should_be() {
    let shop = Shop::open().await;
    for (body, sentence) in [
        (json!({ "email": "ada", "password": PASSWORD, "name": "Ada" }), "name@example.com"),
        (json!({ "email": "ada@example.com", "password": "short", "name": "Ada" }), "8 to 128 characters"),
        (json!({ "email": "ada@example.com", "password": "password1", "name": "Ada" }), "choose another"),
        (json!({ "email": "ada@example.com", "password": PASSWORD, "name": " " }), "1 to 100 characters"),
        (json!({ "email": "ada@example.com", "password": PASSWORD, "name": 7 }), "expected a string"),
        (json!({ "email": "ada@example.com", "password": PASSWORD }), "missing field `name`"),
        (json!(["ada@example.com"]), "invalid length"),
    ] {
        let answer = shop.anonymous.post("/api/v1/auth/register", body.clone()).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_body"), "{body}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(sentence), "{detail}");
        assert!(!answer.body.to_string().contains("password1"), "{detail}");
    }
}

/// What a stranger would begin with, who knows the shop and the person.
#[tokio::test]
async fn a_password_is_more_than_the_persons_and_the_shops_own_words() {
    let shop = Shop::open().await;
    let register = async |password: &str| {
        let body =
            json!({ "email": "ada.king+shop@babbage-engines.example", "password": password, "name": "Ada Lovelace" });
        shop.anonymous.post("/api/v1/auth/register", body).await
    };
    for wrong in [
        "ada.king+shop@babbage-engines.example",
        "AdaLovelace",
        "lovelace1815",
        "Lovelace12345678",
        "adaadaadaada",
        "babbage-engines!",
        "king of the",
        "Shop.Default",
        "shopshop2026",
    ] {
        let answer = register(wrong).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_body"), "{wrong}: {}", answer.body);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("password: ") && !detail.contains(wrong), "{detail}");
    }
    assert_eq!(register("lovelace never met a king").await.status, 201);
}
