//! What order publishes, in any order and more than once.

use ecommerce_contract::events::{OrderPaid, PaymentRequested};
use ecommerce_contract::{Envelope, Event};
use ecommerce_testing::eventually;
use ecommerce_types::{Money, PaymentId};
use serde_json::json;
use time::Duration;

use crate::shop::{AMOUNT, Shop, Sums, path, pay};

#[tokio::test]
async fn a_method_that_comes_with_the_order_is_charged_at_once() {
    let shop = Shop::open().await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    let published = shop.broker.next("order").await;
    assert_eq!(published.request_id.as_deref(), Some("r-1"));
    let Event::PaymentCaptured(captured) = published.event else { panic!("{published:?}") };
    assert_eq!((captured.payment_id, captured.amount), (wanted.payment_id, AMOUNT));
    assert_eq!(shop.ledger().await, shop.books().await);
}

#[tokio::test]
async fn the_decline_of_a_method_that_came_with_the_order_is_final() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    for (method, code) in [("tok_declined", "card_declined"), ("no such method", "unknown_payment_method")] {
        let wanted = shop.wanted(&customer, Some(method));
        shop.publish(Event::PaymentRequested(wanted.clone())).await;
        let Event::PaymentFailed(failed) = shop.published().await else { panic!("order is told otherwise") };
        assert_eq!((failed.order_id, failed.code.as_str()), (wanted.order_id, code));
        let late = pay(&customer, wanted.payment_id, "tok_success").await;
        assert_eq!((late.status, late.code()), (409, "payment_failed"));
        // Order answers a failed payment by closing the order, which changes nothing any more.
        shop.close(&wanted).await;
    }
    eventually("the closes are handled", || async { (shop.broker.depth("payment").await == Some(0)).then_some(()) })
        .await;
    assert_eq!(shop.count("select count(*) from payments where status = 'failed'").await, 2);
}

#[tokio::test]
async fn what_is_told_twice_is_charged_once() {
    let shop = Shop::open().await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    let envelope = shop.publish(Event::PaymentRequested(wanted.clone())).await;
    shop.broker.publish(&envelope).await;
    // The same request under another id, as an outbox that was restored would publish it.
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
    shop.awaiting(&shop.customer()).await; // and so all of the above is handled
    shop.settles().await;
    assert_eq!((shop.charges().await, shop.count("select count(*) from attempts").await), (1, 1));
    assert_eq!(shop.broker.take("order").await, None);
}

/// It can never be written, however often it is tried.
#[tokio::test]
async fn a_request_for_an_order_that_has_another_payment_is_given_up_and_those_beside_it_are_not() {
    let mut shop = Shop::without_service().await;
    shop.broker.declare().await;
    let first = shop.wanted(&shop.customer(), None);
    let second = PaymentRequested { payment_id: PaymentId::new(&shop.clock), ..first.clone() };
    let other = shop.wanted(&shop.customer(), None);
    shop.publish(Event::PaymentRequested(first.clone())).await;
    shop.start().await;
    shop.reaches(first.payment_id, "awaiting_payment").await;
    shop.stop().await;
    let given_up = shop.publish(Event::PaymentRequested(second)).await;
    shop.publish(Event::PaymentRequested(other.clone())).await;
    shop.start().await;
    shop.reaches(other.payment_id, "awaiting_payment").await;
    let dead = eventually("the other payment's is a dead letter", || shop.broker.take("payment.dead")).await;
    assert_eq!(serde_json::from_slice::<Envelope>(&dead).unwrap(), given_up);
    assert_eq!(shop.count("select count(*) from payments").await, 2);
}

/// As of an order whose database was put back to a moment before it asked for the money.
#[tokio::test]
async fn money_goes_back_by_a_close_that_knows_no_payment_or_another() {
    let shop = Shop::open().await;
    for named in [None, Some(PaymentId::new(&shop.clock))] {
        let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
        shop.publish(Event::PaymentRequested(wanted.clone())).await;
        assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
        shop.close_as(&wanted, named).await;
        let refunded = shop.published().await;
        assert!(
            matches!(&refunded, Event::PaymentRefunded(refunded) if refunded.refunded_total == AMOUNT),
            "{refunded:?}"
        );
        shop.reaches(wanted.payment_id, "closed").await;
    }
    assert_eq!(shop.ledger().await, shop.books().await);
}

#[tokio::test]
async fn a_request_that_comes_with_a_close_that_knows_no_payment_is_never_charged() {
    let mut shop = Shop::without_service().await;
    shop.broker.declare().await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    shop.close_as(&wanted, None).await;
    shop.start().await;
    shop.reaches(wanted.payment_id, "closed").await;
    assert_eq!(shop.count("select count(*) from attempts").await, 0);
}

#[tokio::test]
async fn an_order_that_was_closed_first_is_never_charged() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.wanted(&customer, Some("tok_success"));
    shop.close(&wanted).await;
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    shop.reaches(wanted.payment_id, "closed").await;
    let answer = pay(&customer, wanted.payment_id, "tok_success").await;
    assert_eq!((answer.status, answer.code()), (409, "payment_closed"));
    assert_eq!(shop.count("select count(*) from attempts").await, 0);
}

#[tokio::test]
async fn a_close_that_another_replica_has_in_hand_is_waited_for() {
    let shop = Shop::open().await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    let mut other = shop.database.pool.begin().await.unwrap();
    let tombstone =
        "insert into payments (id, order_id, status, created_at, updated_at) values ($1, $2, 'closed', now(), now())";
    sqlx::query(tombstone).bind(wanted.payment_id.0).bind(wanted.order_id.0).execute(&mut *other).await.unwrap();
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'transactionid'";
    eventually("the request waits", || async { (shop.count(waiting).await == 1).then_some(()) }).await;
    other.commit().await.unwrap();
    shop.reaches(wanted.payment_id, "closed").await;
    assert_eq!(shop.count("select count(*) from attempts").await, 0);
}

#[tokio::test]
async fn a_request_that_another_replica_has_in_hand_is_waited_for_by_the_close() {
    let shop = Shop::open().await;
    let wanted = shop.wanted(&shop.customer(), None);
    let mut other = shop.database.pool.begin().await.unwrap();
    let requested =
        "insert into payments (id, order_id, customer_id, amount, currency, status, pay_by, created_at, updated_at)
                     values ($1, $2, $3, 1250, 'EUR', 'awaiting_payment', now(), now(), now())";
    let requested = sqlx::query(requested).bind(wanted.payment_id.0).bind(wanted.order_id.0).bind(wanted.customer_id.0);
    requested.execute(&mut *other).await.unwrap();
    shop.close(&wanted).await;
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'transactionid'";
    eventually("the close waits", || async { (shop.count(waiting).await == 1).then_some(()) }).await;
    other.commit().await.unwrap();
    shop.reaches(wanted.payment_id, "closed").await;
}

#[tokio::test]
async fn a_payment_that_was_closed_before_it_was_requested_is_seen_once_it_is() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = shop.wanted(&customer, Some("tok_success"));
    shop.close(&wanted).await;
    let tombstones = "select count(*) from payments where customer_id is null";
    eventually("it is remembered", || async { (shop.count(tombstones).await == 1).then_some(()) }).await;
    assert_eq!(shop.staff().get(&path(wanted.payment_id)).await.status, 404);
    assert_eq!(shop.staff().get("/api/v1/payments").await.body["items"], json!([]));
    shop.close(&wanted).await;
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    let payment = shop.reaches(wanted.payment_id, "closed").await;
    assert_eq!(payment["amount"], json!({ "amount": AMOUNT, "currency": "EUR" }));
    assert_eq!(customer.get(&path(wanted.payment_id)).await.status, 200);
    assert_eq!(shop.charges().await, 0);
}

#[tokio::test]
async fn money_of_an_order_that_is_closed_goes_back_once() {
    let shop = Shop::open().await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
    shop.close(&wanted).await;
    shop.close(&wanted).await;
    let Event::PaymentRefunded(refunded) = shop.published().await else { panic!("order is told otherwise") };
    assert_eq!((refunded.order_id, refunded.amount, refunded.refunded_total), (wanted.order_id, AMOUNT, AMOUNT));
    shop.awaiting(&shop.customer()).await; // and so both closes are handled
    shop.settles().await;
    assert_eq!(shop.ledger().await, shop.books().await);
    assert_eq!(shop.ledger().await.refunded, AMOUNT);
    assert_eq!(shop.broker.take("order").await, None);
}

#[tokio::test]
async fn a_capture_that_arrives_after_the_close_goes_back() {
    let shop = Shop::open_with(|config| config.provider.simulator.simulator_answer_delay_milliseconds = 400).await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    eventually("the provider has the money", || async { (shop.charges().await == 1).then_some(()) }).await;
    shop.close(&wanted).await;
    shop.reaches(wanted.payment_id, "closed").await;
    assert_eq!(shop.books().await.captured, 0, "the answer is still on its way");
    // Order has closed the order and is not told of a capture, only that the money has gone back.
    let Event::PaymentRefunded(refunded) = shop.published().await else { panic!("order is told otherwise") };
    assert_eq!(refunded.refunded_total, AMOUNT);
    assert_eq!(shop.ledger().await, shop.books().await);
}

#[tokio::test]
async fn a_request_that_comes_too_late_charges_nothing() {
    let shop = Shop::open().await;
    let mut wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    wanted.pay_by = shop.clock.now() - Duration::SECOND;
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    shop.reaches(wanted.payment_id, "awaiting_payment").await;
    shop.settles().await;
    assert_eq!(shop.ledger().await.captured, 0);
    assert_eq!(shop.broker.take("order").await, None);
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_captured_and_closed_without_a_refund() {
    let shop = Shop::open().await;
    let mut wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    wanted.amount = 0;
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
    shop.close(&wanted).await;
    shop.reaches(wanted.payment_id, "closed").await;
    assert_eq!(shop.count("select count(*) from attempts where kind = 'refund'").await, 0);
}

#[tokio::test]
async fn an_amount_beyond_32_bits_is_captured_and_given_back_to_the_last_unit() {
    let shop = Shop::open().await;
    let mut wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    (wanted.amount, wanted.currency) = (4_500_000_000, "IDR".parse().unwrap());
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    let captured = shop.reaches(wanted.payment_id, "captured").await;
    assert_eq!(captured["amount"], json!({ "amount": 4_500_000_000_i64, "currency": "IDR" }));
    shop.close(&wanted).await;
    shop.reaches(wanted.payment_id, "closed").await;
    shop.settles().await;
    assert_eq!(shop.ledger().await, Sums { captured: 4_500_000_000, refunded: 4_500_000_000 });
    assert_eq!(shop.books().await, shop.ledger().await);
    let row = sqlx::query("update payments set amount_captured = 0, amount_refunded = 0, amount = 9007199254740992");
    let refused = row.execute(&shop.database.pool).await.unwrap_err();
    assert!(refused.to_string().contains("payments_amount_is_exact"), "{refused}");
}

#[tokio::test]
async fn what_is_no_event_for_this_service_goes_to_the_dead_letters_and_holds_nothing_up() {
    let shop = Shop::open().await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.broker.publish_bytes("order.payment_requested", b"no event").await;
    let paid = Event::OrderPaid(OrderPaid { order_id: wanted.order_id });
    let envelope = ecommerce_contract::Envelope::new(&shop.clock, None, paid);
    shop.broker.publish_bytes("order.closed", &serde_json::to_vec(&envelope).unwrap()).await;
    for no_amount in [-1, Money::MAX + 1] {
        let mut wanted = shop.wanted(&shop.customer(), None);
        wanted.amount = no_amount;
        shop.publish(Event::PaymentRequested(wanted)).await;
    }
    shop.publish(Event::PaymentRequested(wanted)).await;
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
    eventually("four messages are given up", || async {
        (shop.broker.depth("payment.dead").await == Some(4)).then_some(())
    })
    .await;
}
