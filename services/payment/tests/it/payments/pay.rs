//! `POST /api/v1/payments/{id}/pay`

use ecommerce_contract::Event;
use ecommerce_testing::{eventually, unique_name};
use ecommerce_types::PaymentId;
use reqwest::Method;
use time::Duration;

use crate::shop::{AMOUNT, Shop, path, pay, pay_with_key};

#[tokio::test]
async fn each_kind_of_nonsense_has_its_answer_and_charges_nothing() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let pay = format!("{}/pay", path(shop.awaiting(&customer).await.payment_id));
    let too_large = format!(r#"{{"payment_method": "{}"}}"#, "x".repeat(70_000));
    let too_long = format!(r#"{{"payment_method": "{}"}}"#, "x".repeat(256));
    for (body, status, code) in [
        ("", 400, "malformed_json"),
        (r#"{"payment_method": "#, 400, "malformed_json"),
        ("{}", 422, "invalid_body"),
        (r#"{"payment_method": 7}"#, 422, "invalid_body"),
        (r#"{"payment_method": ""}"#, 422, "invalid_body"),
        (r#"{"payment_method": "tok success"}"#, 422, "invalid_body"),
        (too_long.as_str(), 422, "invalid_body"),
        (r#"{"payment_method": "tok_success", "amount": 1}"#, 422, "invalid_body"),
        (r#"{"payment_method": "tok_unheard_of"}"#, 422, "unknown_payment_method"),
        (too_large.as_str(), 413, "body_too_large"),
    ] {
        let customer = customer.with_idempotency_key(unique_name());
        let answer = customer.send(Method::POST, &pay, Some(body.to_owned())).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body:.60}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    let body = r#"{"payment_method": "tok_success"}"#;
    for (key, code) in [
        (None, "idempotency_key_missing"),
        (Some(String::new()), "idempotency_key_malformed"),
        (Some("x".repeat(256)), "idempotency_key_malformed"),
    ] {
        let customer = key.map_or_else(|| customer.clone(), |key| customer.with_idempotency_key(key));
        let answer = customer.send(Method::POST, &pay, Some(body.to_owned())).await;
        assert_eq!((answer.status, answer.code()), (400, code));
    }
    assert_eq!((shop.charges().await, shop.count("select count(*) from attempts").await), (0, 0));
}

#[tokio::test]
async fn a_payment_that_is_not_yours_is_not_found() {
    let shop = Shop::open().await;
    let others = shop.awaiting(&shop.customer()).await.payment_id;
    for id in [others, PaymentId::new(&shop.clock)] {
        let answer = pay(&shop.customer(), id, "tok_success").await;
        assert_eq!((answer.status, answer.code()), (404, "payment_not_found"));
    }
    assert_eq!(shop.charges().await, 0);
}

#[tokio::test]
async fn an_accepted_method_captures_the_whole_amount_and_order_is_told() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.awaiting(&customer).await;
    let answer = pay(&customer.clone().with("x-request-id", "r-2"), wanted.payment_id, "tok_success").await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &"captured".into()));
    assert_eq!(answer.body["amount_captured"], AMOUNT);
    assert_eq!(answer.body, customer.get(&path(wanted.payment_id)).await.body);

    let published = shop.broker.next("order").await;
    assert_eq!(published.request_id.as_deref(), Some("r-2"));
    let Event::PaymentCaptured(captured) = published.event else { panic!("{published:?}") };
    assert_eq!((captured.order_id, captured.amount), (wanted.order_id, AMOUNT));

    let again = pay(&customer, wanted.payment_id, "tok_success").await;
    assert_eq!((again.status, again.code()), (409, "payment_captured"));
    assert_eq!((shop.ledger().await, shop.charges().await), (shop.books().await, 1));
}

#[tokio::test]
async fn after_a_decline_another_method_may_be_chosen() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = shop.awaiting(&customer).await.payment_id;
    let declined = pay(&customer, id, "tok_declined").await;
    assert_eq!((declined.status, declined.code()), (402, "payment_declined"));
    assert_eq!(declined.header("content-type"), Some("application/problem+json"));
    assert!(declined.body["detail"].as_str().unwrap().contains("card_declined"), "{}", declined.body);
    assert_eq!(customer.get(&path(id)).await.body["status"], "awaiting_payment");

    assert_eq!(pay(&customer, id, "tok_success").await.status, 200);
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
}

#[tokio::test]
async fn the_fifth_decline_ends_the_payment() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.awaiting(&customer).await;
    for _ in 0..5 {
        assert_eq!(pay(&customer, wanted.payment_id, "tok_declined").await.status, 402);
    }
    let sixth = pay(&customer, wanted.payment_id, "tok_success").await;
    assert_eq!((sixth.status, sixth.code()), (409, "payment_failed"));
    let Event::PaymentFailed(failed) = shop.published().await else { panic!("order is told otherwise") };
    assert_eq!((failed.order_id, failed.code.as_str()), (wanted.order_id, "card_declined"));
    assert_eq!(customer.get(&path(wanted.payment_id)).await.body["status"], "failed");
}

#[tokio::test]
async fn a_closed_payment_is_not_paid() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.awaiting(&customer).await;
    shop.close(&wanted).await;
    shop.reaches(wanted.payment_id, "closed").await;
    let answer = pay(&customer, wanted.payment_id, "tok_success").await;
    assert_eq!((answer.status, answer.code()), (409, "payment_closed"));
    assert_eq!(shop.charges().await, 0);
}

#[tokio::test]
async fn who_pays_while_the_order_is_closed_is_told_that_the_money_goes_back() {
    let shop = Shop::open_with(|config| config.provider.simulator.simulator_answer_delay_milliseconds = 1_000).await;
    let customer = shop.customer();
    let wanted = shop.awaiting(&customer).await;
    let id = wanted.payment_id;
    let (answer, ()) = tokio::join!(pay_with_key(&customer, id, "tok_success", "k"), async {
        eventually("the provider has the money", || async { (shop.charges().await == 1).then_some(()) }).await;
        shop.close(&wanted).await;
        shop.reaches(id, "closed").await;
    });
    assert_eq!((answer.status, answer.code()), (409, "payment_closed"));
    assert!(answer.body["detail"].as_str().unwrap().contains("goes back"), "{}", answer.body);
    assert_eq!(pay_with_key(&customer, id, "tok_success", "k").await.bytes, answer.bytes);
    shop.goes_back(id).await;
}

#[tokio::test]
async fn no_charge_begins_after_the_time_to_pay() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.awaiting(&customer).await;
    shop.clock.advance(Duration::minutes(15));
    let answer = pay(&customer, wanted.payment_id, "tok_success").await;
    assert_eq!((answer.status, answer.code()), (409, "payment_overdue"));
    assert_eq!(shop.charges().await, 0);
}

#[tokio::test]
async fn an_answer_that_gets_lost_is_looked_up_and_charged_once() {
    let shop = Shop::open_with(|config| config.provider.payment_provider_timeout_milliseconds = 100).await;
    let customer = shop.customer();
    let wanted = shop.awaiting(&customer).await;
    let answer = pay(&customer, wanted.payment_id, "tok_timeout").await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &"processing".into()));

    let Event::PaymentCaptured(captured) = shop.published().await else { panic!("order is told otherwise") };
    assert_eq!(captured.order_id, wanted.order_id);
    assert_eq!(customer.get(&path(wanted.payment_id)).await.body["status"], "captured");
    assert_eq!((shop.ledger().await, shop.charges().await), (shop.books().await, 1));
}
