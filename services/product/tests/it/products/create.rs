use ecommerce_testing::Client;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, euro};

const PATH: &str = "/api/v1/products";

fn mug() -> Value {
    json!({
        "sku": "MUG-BLUE-03",
        "name": "Blue mug",
        "description": "Holds a third of a litre.\nDishwasher-safe.",
        "category": "kitchen",
        "attributes": { "colour": "blue", "height_mm": 95, "dishwasher": true },
        "price": euro(1250),
    })
}

#[tokio::test]
async fn a_body_that_is_no_product_is_refused_with_a_sentence() {
    let shop = Shop::open().await;
    let without = |field: &str| {
        let mut body = mug();
        body.as_object_mut().unwrap().remove(field);
        body.to_string()
    };
    let with = |field: &str, value: Value| {
        let mut body = mug();
        body[field] = value;
        body.to_string()
    };
    let cases = [
        ("{".to_owned(), 400, "malformed_json"),
        (String::new(), 400, "malformed_json"),
        ("[]".to_owned(), 422, "invalid_body"),
        (without("sku"), 422, "invalid_body"),
        (without("name"), 422, "invalid_body"),
        (without("price"), 422, "invalid_body"),
        (with("sku", json!(" MUG")), 422, "invalid_body"),
        (with("sku", json!("MUG\u{200b}")), 422, "invalid_body"),
        (with("name", json!("")), 422, "invalid_body"),
        (with("name", json!(7)), 422, "invalid_body"),
        (with("name", json!("nul\u{0}")), 422, "invalid_body"),
        (with("name", json!("gum \u{202e}gum")), 422, "invalid_body"),
        (with("category", json!("kitch\u{200b}en")), 422, "invalid_body"),
        (with("attributes", json!({ "colour": "bl\u{2066}ue" })), 422, "invalid_body"),
        (with("description", json!(null)), 422, "invalid_body"),
        (with("attributes", json!({ "deep": { "er": 1 } })), 422, "invalid_body"),
        (with("attributes", json!({ "nul\u{0}": 1 })), 422, "invalid_body"),
        (with("price", json!(1250)), 422, "invalid_body"),
        (with("price", euro(0)), 422, "invalid_body"),
        (with("price", euro(-1)), 422, "invalid_body"),
        (with("price", euro(1_000_000_000_001)), 422, "invalid_body"),
        (with("price", euro(9_007_199_254_740_992)), 422, "invalid_body"),
        (with("price", json!({ "amount": 1250, "currency": "ZZZ" })), 422, "invalid_body"),
        (with("price", json!({ "amount": 12.5, "currency": "EUR" })), 422, "invalid_body"),
        (with("price", json!({ "amount": 1250, "currency": "euro" })), 422, "invalid_body"),
        (with("price", json!({ "amount": 1250, "currency": "EUR", "vat": 19 })), 422, "invalid_body"),
        (with("stock", json!(5)), 422, "invalid_body"),
        (with("description", json!("x".repeat(70_000))), 413, "body_too_large"),
    ];
    for (body, status, code) in cases {
        let shown: String = body.chars().take(200).collect();
        let answer = shop.staff.send(Method::POST, PATH, Some(body)).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{shown} {}", answer.body);
        assert!(answer.body["detail"].is_string(), "{shown}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    assert_eq!(shop.anonymous.get(PATH).await.body["items"], json!([]));
}

#[tokio::test]
async fn a_body_that_is_not_called_json_is_refused() {
    let shop = Shop::open().await;
    let answer = shop.staff.send(Method::POST, PATH, None).await;
    assert_eq!((answer.status, answer.code()), (415, "unsupported_media_type"));
}

#[tokio::test]
async fn the_database_keeps_no_price_that_a_reader_of_json_would_round() {
    let shop = Shop::open().await;
    shop.product(0).await;
    for wrong in [0, 9_007_199_254_740_992_i64] {
        let row = sqlx::query("update products set price_amount = $1").bind(wrong).execute(&shop.database.pool).await;
        assert!(row.unwrap_err().to_string().contains("products_price_is_exact"), "{wrong}");
    }
}

/// Whoever may not is told so, whatever stands in the body.
#[tokio::test]
async fn only_staff_make_products() {
    let shop = Shop::open().await;
    let nobody = Client::without_key(shop.address);
    let body = || Some("{".to_owned());
    for (client, status, code) in [
        (&nobody, 401, "api_key_missing"),
        (&nobody.clone().with("x-api-key", "guessed"), 403, "api_key_refused"),
        (&nobody.clone().with("x-user-roles", "admin"), 401, "api_key_missing"),
        (&shop.anonymous, 401, "login_required"),
        (&shop.customer, 403, "role_required"),
    ] {
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            let path = if method == Method::POST { PATH.to_owned() } else { format!("{PATH}/{}", shop.clock.new_id()) };
            let answer = client.send(method.clone(), &path, body()).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{method}");
        }
    }
}

#[tokio::test]
async fn a_new_product_is_as_it_was_described_and_has_no_stock() {
    let shop = Shop::open().await;
    let made = shop.staff.post(PATH, mug()).await;
    assert_eq!(made.status, 201);
    let mut expected = mug();
    expected["id"] = made.body["id"].clone();
    expected["stock"] = json!({ "available": 0 });
    expected["version"] = json!(1);
    assert_eq!(made.body, expected);
    assert_eq!(made.header("etag"), Some("\"1-0\""));
    let location = made.header("location").unwrap();
    assert_eq!(shop.anonymous.get(location).await.body, expected);
}

#[tokio::test]
async fn a_catalogue_is_brought_over_with_the_skus_and_names_that_it_has() {
    let shop = Shop::open().await;
    for (sku, name) in [
        ("CAB.SAU.M.VIL.S&M.10", "Cabernet & Sauvignon"),
        ("Größe 4", "میز تاشو علی\u{200c}رضا"),
        ("日本酒/720", "👩\u{200d}🔬"),
    ] {
        let made = shop.staff.post(PATH, json!({ "sku": sku, "name": name, "price": euro(1) })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let read = shop.anonymous.get(made.header("location").unwrap()).await.body;
        assert_eq!((&read["sku"], &read["name"]), (&json!(sku), &json!(name)));
    }
}

#[tokio::test]
async fn what_need_not_be_said_need_not_be_said() {
    let shop = Shop::open().await;
    let made = shop.staff.post(PATH, json!({ "sku": "MUG", "name": " Mug ", "price": euro(1) })).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["name"], "Mug");
    assert_eq!(made.body["description"], "");
    assert_eq!(made.body["category"], Value::Null);
    assert_eq!(made.body["attributes"], json!({}));
}

#[tokio::test]
async fn two_products_for_sale_do_not_share_a_sku() {
    let shop = Shop::open().await;
    shop.staff.post(PATH, mug()).await;
    let again = shop.staff.post(PATH, mug()).await;
    assert_eq!((again.status, again.code()), (409, "sku_taken"));
}

/// Somebody deletes a product by mistake; the label on the shelf is printed.
#[tokio::test]
async fn an_archived_product_frees_its_sku_and_stays_what_it_was() {
    let shop = Shop::open().await;
    let first = shop.staff.post(PATH, mug()).await;
    let archived = shop.staff.send(Method::DELETE, first.header("location").unwrap(), None).await;
    assert_eq!(archived.status, 204);
    let second = shop.staff.post(PATH, mug()).await;
    assert_eq!((second.status, &second.body["sku"]), (201, &first.body["sku"]));
    assert_ne!(second.body["id"], first.body["id"]);
    let third = shop.staff.post(PATH, mug()).await;
    assert_eq!((third.status, third.code()), (409, "sku_taken"));

    // As often as it takes; each keeps its row, and an order what it has bought.
    shop.staff.send(Method::DELETE, second.header("location").unwrap(), None).await;
    assert_eq!(shop.staff.post(PATH, mug()).await.status, 201);
    let rows: i64 = sqlx::query_scalar("select count(*) from products where sku = 'MUG-BLUE-03'")
        .fetch_one(&shop.database.pool)
        .await
        .unwrap();
    assert_eq!(rows, 3);
}

#[tokio::test]
async fn of_many_who_enter_one_sku_at_once_one_does() {
    let shop = Shop::open().await;
    let answers = join_all((0..8).map(|_| shop.staff.post(PATH, mug()))).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}
