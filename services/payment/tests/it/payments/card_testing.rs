//! `POST /api/v1/payments/{id}/pay`, by whoever tries one card after the other to learn which are good.

use ecommerce_contract::Event;
use ecommerce_contract::events::PaymentRequested;
use ecommerce_testing::{Answer, Client, eventually};
use ecommerce_types::Role;
use futures::future::join_all;
use time::Duration;

use crate::shop::{AMOUNT, Shop, Sums, path, pay, pay_with_key};

/// The fifth decline ends a payment: who tries more cards needs more of them.
async fn decline(shop: &Shop, customer: &Client, mut cards: usize) {
    while cards > 0 {
        let id = shop.awaiting(customer).await.payment_id;
        for _ in 0..cards.min(5) {
            let answer = pay(customer, id, "tok_declined").await;
            assert_eq!((answer.status, answer.code()), (402, "payment_declined"), "{}", answer.body);
        }
        cards = cards.saturating_sub(5);
    }
}

/// A payment that may still be paid after the hour.
async fn awaiting_for_long(shop: &Shop, customer: &Client) -> PaymentRequested {
    let mut wanted = shop.wanted(customer, None);
    wanted.pay_by += Duration::hours(3);
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    shop.reaches(wanted.payment_id, "awaiting_payment").await;
    wanted
}

#[track_caller]
fn refused(answer: &Answer, retry_after: &str) {
    let told = (answer.status, answer.code(), answer.header("retry-after"));
    assert_eq!(told, (429, "too_many_declines", Some(retry_after)), "{}", answer.body);
}

#[tokio::test]
async fn the_twenty_first_card_of_an_hour_is_not_tried_however_good_it_is() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = awaiting_for_long(&shop, &customer).await.payment_id;
    decline(&shop, &customer, 10).await;
    shop.clock.advance(Duration::minutes(10));
    decline(&shop, &customer, 10).await;
    shop.clock.advance(Duration::minutes(5));
    for method in ["tok_declined", "tok_success", "tok_timeout"] {
        refused(&pay(&customer, id, method).await, "2700");
    }
    assert_eq!((shop.charges().await, shop.count("select count(*) from attempts").await), (20, 20));

    // Reading is nobody's harm.
    let read = customer.get(&path(id)).await;
    assert_eq!((read.status, &read.body["status"]), (200, &"awaiting_payment".into()));
    assert_eq!(customer.get("/api/v1/payments").await.status, 200);
}

#[tokio::test]
async fn a_decline_is_forgotten_after_an_hour_and_a_later_one_is_not() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = awaiting_for_long(&shop, &customer).await.payment_id;
    decline(&shop, &customer, 1).await;
    shop.clock.advance(Duration::minutes(10));
    decline(&shop, &customer, 19).await;
    shop.clock.advance(Duration::minutes(50) - Duration::microseconds(1));
    refused(&pay(&customer, id, "tok_success").await, "1");
    shop.clock.advance(Duration::microseconds(1));
    assert_eq!(pay(&customer, id, "tok_declined").await.status, 402);
    refused(&pay(&customer, id, "tok_success").await, "600");
    shop.clock.advance(Duration::minutes(10));
    assert_eq!(pay(&customer, id, "tok_success").await.status, 200);
}

#[tokio::test]
async fn what_was_answered_is_answered_again_and_a_refusal_is_not_remembered() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = awaiting_for_long(&shop, &customer).await.payment_id;
    decline(&shop, &customer, 19).await;
    let last = pay_with_key(&customer, id, "tok_declined", "last").await;
    assert_eq!(last.status, 402);
    refused(&pay_with_key(&customer, id, "tok_success", "next").await, "3600");
    let again = pay_with_key(&customer, id, "tok_declined", "last").await;
    assert_eq!((again.status, &again.bytes), (402, &last.bytes));
    let changed = pay_with_key(&customer, id, "tok_success", "last").await;
    assert_eq!((changed.status, changed.code()), (422, "idempotency_key_reused"));

    shop.clock.advance(Duration::HOUR);
    assert_eq!(pay_with_key(&customer, id, "tok_success", "next").await.status, 200);
}

#[tokio::test]
async fn the_cards_of_another_customer_are_tried() {
    let shop = Shop::open().await;
    let (customer, other) = (shop.customer(), shop.customer());
    let (id, others) = (shop.awaiting(&customer).await.payment_id, shop.awaiting(&other).await.payment_id);
    decline(&shop, &customer, 20).await;
    refused(&pay(&customer, id, "tok_success").await, "3600");
    // Whoever pays: it is the customer whose payment it is that is counted.
    refused(&pay(&shop.staff(), id, "tok_success").await, "3600");
    assert_eq!(pay(&other, others, "tok_declined").await.status, 402);
    assert_eq!(pay(&shop.staff(), others, "tok_success").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_cards_at_once_twenty_are_tried() {
    let mut shop = Shop::open_with(|config| config.provider.simulator.simulator_answer_delay_milliseconds = 5).await;
    let customer = shop.customer();
    let wanted = join_all((0..50).map(|_| shop.awaiting(&customer))).await;
    shop.start_with(|config| config.provider.simulator.simulator_request_delay_milliseconds = 5).await;
    let at_another_replica = as_the_same(&shop, &wanted[0]);
    let answers = join_all(wanted.iter().enumerate().map(|(number, wanted)| {
        let client = if number % 2 == 0 { &customer } else { &at_another_replica };
        pay(client, wanted.payment_id, "tok_declined")
    }))
    .await;
    for answer in answers.iter().filter(|answer| answer.status != 402) {
        assert_eq!((answer.status, answer.code()), (429, "too_many_declines"), "{}", answer.body);
    }
    assert_eq!(answers.iter().filter(|answer| answer.status == 402).count(), 20);
    assert_eq!((shop.charges().await, shop.count("select count(*) from attempts").await), (20, 20));
    let id = shop.awaiting(&customer).await.payment_id;
    refused(&pay(&customer, id, "tok_success").await, "3600");
}

#[tokio::test]
async fn an_attempt_that_another_replica_is_about_to_begin_is_waited_for_and_counts() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    decline(&shop, &customer, 19).await;
    let (one, two) = (shop.awaiting(&customer).await, shop.awaiting(&customer).await);
    let mut other = shop.database.pool.begin().await.unwrap();
    for statement in [
        "select pg_advisory_xact_lock(hashtextextended(customer_id::text, 1)) from payments where id = $1::uuid",
        "with begun as (
           insert into attempts (id, kind, payment_id, customer_id, amount, currency, method, status, created_at, updated_at)
           select gen_random_uuid(), 'charge', id, customer_id, amount, currency, 'tok_declined', 'open', now(), now()
           from payments where id = $1::uuid
           returning id, customer_id)
         insert into open_attempts (attempt_id, customer_id, holder, due_at)
         select id, customer_id, gen_random_uuid(), now() + interval '1 hour' from begun",
    ] {
        sqlx::query(statement).bind(one.payment_id.to_string()).execute(&mut *other).await.unwrap();
    }
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'";
    let (answer, ()) = tokio::join!(pay(&customer, two.payment_id, "tok_success"), async {
        eventually("the request waits", || async { (shop.count(waiting).await == 1).then_some(()) }).await;
        other.commit().await.unwrap();
    });
    refused(&answer, "1");
}

#[tokio::test]
async fn an_attempt_that_has_not_ended_counts_until_it_has() {
    let shop = Shop::open_with(|config| config.provider.simulator.simulator_answer_delay_milliseconds = 2_000).await;
    let customer = shop.customer();
    let wanted = join_all((0..21).map(|_| shop.awaiting(&customer))).await;
    let last = wanted[20].payment_id;
    let first = join_all(wanted[..20].iter().map(|wanted| pay(&customer, wanted.payment_id, "tok_success")));
    let (answers, ()) = tokio::join!(first, async {
        eventually("all are at the provider", || async { (shop.charges().await == 20).then_some(()) }).await;
        // Any of them may end in a moment, and well.
        refused(&pay(&customer, last, "tok_success").await, "1");
    });
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(pay(&customer, last, "tok_success").await.status, 200);
}

#[tokio::test]
async fn an_outcome_that_was_unknown_counts_as_what_it_turns_out_to_be() {
    let mut shop = Shop::open_with(|config| config.provider.payment_provider_timeout_milliseconds = 200).await;
    let customer = shop.customer();
    decline(&shop, &customer, 18).await;
    let wanted = join_all((0..4).map(|_| shop.awaiting(&customer))).await;
    assert_eq!(pay(&customer, wanted[0].payment_id, "tok_timeout").await.status, 202);
    shop.settles().await;
    assert_eq!(pay(&customer, wanted[1].payment_id, "tok_declined").await.status, 402);

    // A replica that is too far from the provider to hear of the decline; the other one will.
    shop.start_with(|config| {
        config.provider.payment_provider_timeout_milliseconds = 200;
        config.provider.simulator.simulator_answer_delay_milliseconds = 1_000;
    })
    .await;
    let far_away = as_the_same(&shop, &wanted[2]);
    assert_eq!(pay(&far_away, wanted[2].payment_id, "tok_declined").await.status, 202);
    shop.settles().await;
    refused(&pay(&customer, wanted[3].payment_id, "tok_success").await, "3600");
}

#[tokio::test]
async fn a_card_that_came_with_an_order_counts_and_the_next_order_fails_without_trying_its_own() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let id = awaiting_for_long(&shop, &customer).await.payment_id;
    for _ in 0..20 {
        shop.publish(Event::PaymentRequested(shop.wanted(&customer, Some("tok_declined")))).await;
    }
    for _ in 0..20 {
        let Event::PaymentFailed(failed) = shop.published().await else { panic!("order is told otherwise") };
        assert_eq!(failed.code, "card_declined");
    }
    refused(&pay(&customer, id, "tok_success").await, "3600");

    shop.clock.advance(Duration::minutes(59));
    let wanted = shop.wanted(&customer, Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    let Event::PaymentFailed(failed) = shop.published().await else { panic!("order is told otherwise") };
    assert_eq!((failed.order_id, failed.code.as_str()), (wanted.order_id, "too_many_declines"));
    assert_eq!(customer.get(&path(wanted.payment_id)).await.body["status"], "failed");
    let nothing = Sums { captured: 0, refunded: 0 };
    assert_eq!((shop.ledger().await, shop.books().await), (nothing, nothing));
    // Another customer's order is charged meanwhile.
    shop.publish(Event::PaymentRequested(shop.wanted(&shop.customer(), Some("tok_success")))).await;
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));

    // What was not tried was not declined: it does not count.
    shop.clock.advance(Duration::minutes(1));
    shop.publish(Event::PaymentRequested(shop.wanted(&customer, Some("tok_success")))).await;
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
    assert_eq!(pay(&customer, id, "tok_success").await.status, 200);
    assert_eq!(shop.ledger().await.captured, 3 * AMOUNT);
}

/// The customer of this payment, asking the replica that was started last.
fn as_the_same(shop: &Shop, wanted: &PaymentRequested) -> Client {
    Client::person(shop.address, &shop.keys, Role::Customer).with("x-user-id", wanted.customer_id.to_string())
}
