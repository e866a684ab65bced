//! `POST /api/v1/payments/{id}/pay`, sent again.

use ecommerce_testing::unique_name;
use futures::future::join_all;
use time::Duration;

use crate::shop::{Shop, pay, pay_with_key};

#[tokio::test]
async fn the_same_request_has_the_same_answer_byte_for_byte() {
    let shop = Shop::open_with(|config| config.provider.payment_provider_timeout_milliseconds = 100).await;
    for (method, status) in [("tok_success", 200), ("tok_declined", 402), ("tok_timeout", 202)] {
        let customer = shop.customer();
        let id = shop.awaiting(&customer).await.payment_id;
        let key = unique_name();
        let first = pay_with_key(&customer, id, method, &key).await;
        assert_eq!(first.status, status, "{}", first.body);
        shop.settles().await;
        let again = pay_with_key(&customer, id, method, &key).await;
        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
        assert_eq!(again.header("content-type"), first.header("content-type"));
    }
    assert_eq!(shop.charges().await, 3);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = shop.awaiting(&customer).await.payment_id;
    assert_eq!(pay_with_key(&customer, id, "tok_declined", "k").await.status, 402);
    let other = pay_with_key(&customer, id, "tok_success", "k").await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"));
}

#[tokio::test]
async fn a_key_is_one_persons_for_one_payment_and_one_day() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let (one, two) = (shop.awaiting(&customer).await.payment_id, shop.awaiting(&customer).await.payment_id);
    assert_eq!(pay_with_key(&customer, one, "tok_declined", "k").await.status, 402);
    assert_eq!(pay_with_key(&customer, two, "tok_success", "k").await.status, 200);
    assert_eq!(pay_with_key(&shop.staff(), one, "tok_declined", "k").await.status, 402);
    assert_eq!(shop.charges().await, 3);
    shop.clock.advance(Duration::hours(24));
    let later = pay_with_key(&customer, one, "tok_declined", "k").await;
    assert_eq!((later.status, later.code()), (409, "payment_overdue"));
}

#[tokio::test]
async fn while_the_first_is_still_running_the_key_is_in_use_and_the_payment_taken() {
    let shop = Shop::open_with(|config| config.provider.simulator.simulator_request_delay_milliseconds = 600).await;
    let customer = shop.customer();
    let id = shop.awaiting(&customer).await.payment_id;
    let first = pay_with_key(&customer, id, "tok_success", "k");
    let others = async {
        shop.reaches(id, "processing").await;
        let same = pay_with_key(&customer, id, "tok_success", "k").await;
        assert_eq!((same.status, same.code()), (409, "idempotency_key_in_use"));
        assert_eq!(same.header("retry-after"), Some("1"));
        let changed = pay_with_key(&customer, id, "tok_declined", "k").await;
        assert_eq!((changed.status, changed.code()), (422, "idempotency_key_reused"));
        let other = pay(&customer, id, "tok_success").await;
        assert_eq!((other.status, other.code()), (409, "payment_processing"));
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first.status, 200);
    assert_eq!(shop.charges().await, 1);
}

#[tokio::test]
async fn what_had_no_effect_may_be_asked_again_under_its_key() {
    let shop = Shop::open_with(|config| config.provider.simulator.simulator_request_delay_milliseconds = 300).await;
    let customer = shop.customer();
    let id = shop.awaiting(&customer).await.payment_id;
    let first = pay(&customer, id, "tok_declined");
    let second = async {
        shop.reaches(id, "processing").await;
        let early = pay_with_key(&customer, id, "tok_success", "k").await;
        assert_eq!((early.status, early.code()), (409, "payment_processing"));
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first.status, 402);
    assert_eq!(pay_with_key(&customer, id, "tok_success", "k").await.status, 200);
}

#[tokio::test]
async fn the_same_request_many_times_at_once_is_charged_once() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = shop.awaiting(&customer).await.payment_id;
    let answers = join_all((0..20).map(|_| pay_with_key(&customer, id, "tok_success", "k"))).await;
    let done: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!done.is_empty());
    for answer in &answers {
        match answer.status {
            200 => assert_eq!(answer.bytes, done[0].bytes),
            _ => assert_eq!((answer.status, answer.code()), (409, "idempotency_key_in_use")),
        }
    }
    assert_eq!(shop.charges().await, 1);
}
