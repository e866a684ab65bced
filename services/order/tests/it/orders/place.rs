use std::collections::HashSet;
use std::time::Duration;

use ecommerce_contract::Event;
use ecommerce_testing::{Client, unique_name};
use ecommerce_types::{Clock, ProductId};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, place};

fn two_of(product: ProductId) -> Value {
    json!({ "items": [{ "product_id": product, "quantity": 2 }] })
}

#[tokio::test]
async fn what_is_no_order_is_refused_with_what_to_do() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let mug = shop.sell_a_mug();
    let dollar = shop.sell(100, "USD");
    let unknown = ProductId::new(&Clock::system());
    let too_many = vec![json!({ "product_id": mug, "quantity": 1 }); 101];
    for (body, status, code) in [
        (json!({ "items": [] }), 422, "invalid_items"),
        (json!({ "items": too_many }), 422, "invalid_items"),
        (json!({}), 422, "invalid_body"),
        (json!([]), 422, "invalid_body"),
        (json!({ "items": "mug" }), 422, "invalid_body"),
        (json!({ "items": [{ "product_id": mug, "quantity": 0 }] }), 422, "invalid_body"),
        (json!({ "items": [{ "product_id": mug, "quantity": -1 }] }), 422, "invalid_body"),
        (json!({ "items": [{ "product_id": mug, "quantity": 1.5 }] }), 422, "invalid_body"),
        (json!({ "items": [{ "product_id": mug, "quantity": "2" }] }), 422, "invalid_body"),
        (json!({ "items": [{ "product_id": "mug", "quantity": 1 }] }), 422, "invalid_body"),
        (json!({ "items": [{ "product_id": mug, "quantity": 1, "unit_price": 1 }] }), 422, "invalid_body"),
        (json!({ "items": [{ "product_id": mug, "quantity": 1 }], "total": 1 }), 422, "invalid_body"),
        (
            json!({ "items": [{ "product_id": mug, "quantity": 1 }, { "product_id": mug, "quantity": 1 }] }),
            422,
            "duplicate_product",
        ),
        (
            json!({ "items": [{ "product_id": mug, "quantity": 1 }, { "product_id": dollar, "quantity": 1 }] }),
            422,
            "mixed_currencies",
        ),
        (json!({ "items": [{ "product_id": unknown, "quantity": 1 }] }), 422, "unknown_product"),
        (
            json!({ "items": [{ "product_id": mug, "quantity": 1 }], "payment_method": "tok\u{0}" }),
            422,
            "invalid_payment_method",
        ),
        (
            json!({ "items": [{ "product_id": mug, "quantity": 1 }], "payment_method": "" }),
            422,
            "invalid_payment_method",
        ),
    ] {
        let answer = place(&customer, &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{body}");
        assert!(answer.body["detail"].is_string() && answer.body["request_id"].is_string(), "{}", answer.body);
    }
    assert_eq!(shop.count_orders().await, 0);
}

#[tokio::test]
async fn a_total_is_exact_beyond_32_bits_and_refused_where_a_reader_of_json_would_round_it() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let motorbike = shop.sell(1_500_000_000, "IDR");
    let three = place(&customer, &json!({ "items": [{ "product_id": motorbike, "quantity": 3 }] })).await;
    assert_eq!((three.status, &three.body["total"]["amount"]), (201, &json!(4_500_000_000_i64)));

    let palace = shop.sell(1_000_000_000_000, "IDR");
    let million = place(&customer, &json!({ "items": [{ "product_id": palace, "quantity": 1_000_000 }] })).await;
    assert_eq!((million.status, million.code()), (422, "total_too_large"));
    let row = sqlx::query("update orders set total = 9007199254740992").execute(&shop.database.pool).await;
    assert!(row.unwrap_err().to_string().contains("orders_total_is_exact"));
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_refused() {
    let shop = Shop::open().await;
    let customer = shop.customer().with_idempotency_key("k");
    let malformed = customer.send(Method::POST, "/api/v1/orders", Some("{\"items\": [".to_owned())).await;
    assert_eq!((malformed.status, malformed.code()), (400, "malformed_json"));
    let large = format!("{{\"items\": [], \"payment_method\": \"{}\"}}", "x".repeat(70_000));
    let large = customer.send(Method::POST, "/api/v1/orders", Some(large)).await;
    assert_eq!((large.status, large.code()), (413, "body_too_large"));
}

#[tokio::test]
async fn an_order_needs_one_well_formed_idempotency_key() {
    let shop = Shop::open().await;
    let mug = shop.sell_a_mug();
    let missing = shop.customer().post("/api/v1/orders", two_of(mug)).await;
    assert_eq!((missing.status, missing.code()), (400, "idempotency_key_missing"));
    for malformed in [String::new(), "x".repeat(256)] {
        let answer = shop.customer().with_idempotency_key(malformed).post("/api/v1/orders", two_of(mug)).await;
        assert_eq!((answer.status, answer.code()), (400, "idempotency_key_malformed"));
    }
    assert_eq!(shop.count_orders().await, 0);
}

#[tokio::test]
async fn nobody_orders_past_the_gateway_or_without_a_login() {
    let shop = Shop::open().await;
    let mug = shop.sell_a_mug();
    let forged = Client::without_key(shop.address)
        .with("x-user-id", "0192d1b2-0000-7000-8000-000000000001")
        .with("x-session-id", "0192d1b2-0000-7000-8000-000000000002")
        .with("x-user-roles", "admin");
    assert_eq!(place(&forged, &two_of(mug)).await.status, 401);
    let wrong_key = forged.clone().with("x-api-key", "guess");
    assert_eq!(place(&wrong_key, &two_of(mug)).await.status, 403);
    let anonymous = Client::anonymous(shop.address, &shop.keys);
    assert_eq!(place(&anonymous, &two_of(mug)).await.code(), "login_required");
    let not_the_gateway = forged.with("x-api-key", shop.keys.of(ecommerce_contract::Service::Payment));
    assert_eq!(place(&not_the_gateway, &two_of(mug)).await.status, 403);
    assert_eq!(shop.count_orders().await, 0);
}

#[tokio::test]
async fn an_order_is_taken_at_the_catalogues_price_and_told_to_product() {
    let shop = Shop::open().await;
    let mug = shop.sell_a_mug();
    let answer = place(&shop.customer().with("x-request-id", "r-42"), &two_of(mug)).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["status"], "pending");
    assert_eq!(answer.body["total"], json!({ "amount": 2500, "currency": "EUR" }));
    assert_eq!(answer.body["items"][0]["unit_price"], json!({ "amount": 1250, "currency": "EUR" }));
    assert_eq!(answer.header("x-request-id"), Some("r-42"));

    let published = shop.published_to("product").await;
    assert_eq!(published.request_id.as_deref(), Some("r-42"));
    let Event::OrderPlaced(placed) = published.event else { panic!("{published:?}") };
    assert_eq!(placed.order_id.to_string(), answer.body["id"].as_str().unwrap());
    assert_eq!((placed.lines[0].product_id, placed.lines[0].quantity.get()), (mug, 2));
    assert_eq!(placed.pay_by, shop.clock.now() + time::Duration::minutes(15));
}

#[tokio::test]
async fn an_order_sent_again_is_the_same_order_byte_for_byte() {
    let shop = Shop::open().await;
    let mug = shop.sell_a_mug();
    let customer = shop.customer().with_idempotency_key(unique_name());
    let first = customer.post("/api/v1/orders", two_of(mug)).await;
    let again = customer.post("/api/v1/orders", two_of(mug)).await;
    assert_eq!((again.status, &again.bytes), (201, &first.bytes));

    shop.archive(mug);
    let after_archiving = customer.post("/api/v1/orders", two_of(mug)).await;
    assert_eq!((after_archiving.status, &after_archiving.bytes), (201, &first.bytes));
    assert_eq!(shop.count_orders().await, 1);
}

#[tokio::test]
async fn a_key_that_has_named_another_order_is_refused() {
    let shop = Shop::open().await;
    let mug = shop.sell_a_mug();
    let customer = shop.customer().with_idempotency_key("mine");
    assert_eq!(customer.post("/api/v1/orders", two_of(mug)).await.status, 201);
    let other = json!({ "items": [{ "product_id": mug, "quantity": 3 }] });
    assert_eq!(customer.post("/api/v1/orders", other).await.code(), "idempotency_key_reused");

    let somebody_else = shop.customer().with_idempotency_key("mine");
    assert_eq!(somebody_else.post("/api/v1/orders", two_of(mug)).await.status, 201, "a key is a person's own");
}

#[tokio::test]
async fn one_key_sent_many_times_at_once_places_one_order() {
    let shop = Shop::open().await;
    let mug = shop.sell_a_mug();
    let customer = shop.customer().with_idempotency_key("once");
    let answers = join_all((0..24).map(|_| customer.post("/api/v1/orders", two_of(mug)))).await;
    let ids: HashSet<_> =
        answers.iter().filter(|answer| answer.status == 201).map(|answer| answer.body["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.code() == "idempotency_key_in_use"));
    assert_eq!(shop.count_orders().await, 1);
}

/// Orders wait for the statement before theirs, for the way to the database is long, and then they share one.
#[tokio::test]
async fn orders_that_come_together_each_have_an_answer_of_their_own() {
    let shop = Shop::open().await;
    let (mug, unknown) = (shop.sell_a_mug(), ProductId::new(&Clock::system()));
    let some = |quantity| json!({ "items": [{ "product_id": mug, "quantity": quantity }] });
    let customer = &shop.customer();
    let send = async |key: String, body: Value| customer.with_idempotency_key(key).post("/api/v1/orders", body).await;
    shop.to_postgres.slow(Duration::from_millis(20));
    for round in 1..=3 {
        let key = |name: &str| format!("{name} {round}");
        let good = join_all((1..=20).map(|quantity| send(unique_name(), some(quantity))));
        let (twice, two_meanings) = ([1, 1], [1, 2]);
        let twice = join_all(twice.map(|quantity| send(key("twice"), some(quantity))));
        let two_meanings = join_all(two_meanings.map(|quantity| send(key("two meanings"), some(quantity))));
        let refused = send(unique_name(), json!({ "items": [{ "product_id": unknown, "quantity": 1 }] }));
        let hangs_up = async {
            let first = send(unique_name(), some(21));
            tokio::select! {
                first = first => assert_eq!(first.status, 201),
                _ = send(key("hung up"), some(22)) => {}
            }
        };
        let (good, twice, two_meanings, refused, ()) = tokio::join!(good, twice, two_meanings, refused, hangs_up);

        for (quantity, answer) in (1..=20).zip(&good) {
            assert_eq!((answer.status, &answer.body["items"][0]["quantity"]), (201, &json!(quantity)));
        }
        let ids: HashSet<String> = good.iter().map(|answer| answer.body["id"].to_string()).collect();
        assert_eq!(ids.len(), good.len());
        for answers in [&twice, &two_meanings] {
            let placed: HashSet<String> = answers
                .iter()
                .filter(|answer| answer.status == 201)
                .map(|answer| answer.body["id"].to_string())
                .collect();
            assert_eq!(placed.len(), 1);
        }
        assert!(twice.iter().all(|answer| answer.status == 201 || answer.code() == "idempotency_key_in_use"));
        assert_eq!(refused.code(), "unknown_product");
        let again = send(key("two meanings"), some(3)).await;
        assert_eq!(again.code(), "idempotency_key_reused");
        assert_eq!(send(key("hung up"), some(22)).await.status, 201);
    }
    let keys: i64 = sqlx::query_scalar("select count(distinct key) from idempotency_keys")
        .fetch_one(&shop.database.pool)
        .await
        .unwrap();
    assert_eq!(shop.count_orders().await, keys, "one for each key that an order was placed under");
}

#[tokio::test]
async fn every_order_is_told_even_when_the_broker_drops_its_connections() {
    let shop = Shop::open().await;
    let mug = shop.sell_a_mug();
    let customer = shop.customer();
    let mut placed = HashSet::new();
    for round in 0..5 {
        let answers = join_all((0..10).map(|_| async { place(&customer, &two_of(mug)).await })).await;
        placed.extend(answers.iter().map(|answer| answer.body["id"].as_str().unwrap().to_owned()));
        if round % 2 == 0 {
            shop.broker.cut_connections().await;
        }
    }
    let mut published = HashSet::new();
    while published.len() < placed.len() {
        published.insert(shop.published_to("product").await.event.order_id().to_string());
    }
    assert_eq!(published, placed);
}
