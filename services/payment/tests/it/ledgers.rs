//! The service's books and the provider's ledger agree, whatever happens at once.

use ecommerce_contract::Event;
use ecommerce_testing::eventually;
use futures::future::join_all;

use crate::captured_late::{all_is_looked_up, captures_late, promises};
use crate::shop::{AMOUNT, Shop, Sums, pay};

#[tokio::test(flavor = "multi_thread")]
async fn many_who_pay_one_payment_at_once_capture_it_once() {
    let mut shop = Shop::open().await;
    let customers_first = shop.customer();
    let id = shop.awaiting(&customers_first).await.payment_id;
    shop.start().await;
    let staff = shop.staff();
    let answers = join_all((0..40).map(|number| {
        let client = if number % 2 == 0 { &customers_first } else { &staff };
        pay(client, id, "tok_success")
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert!(["payment_processing", "payment_captured"].contains(&answer.code()), "{}", answer.body);
    }
    let once = Sums { captured: AMOUNT, refunded: 0 };
    assert_eq!((shop.ledger().await, shop.books().await, shop.charges().await), (once, once, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_money_of_a_closed_order_is_kept_however_close_and_capture_race() {
    let mut shop = Shop::open_with(|config| config.provider.simulator.simulator_answer_delay_milliseconds = 3).await;
    shop.start_with(|config| config.provider.simulator.simulator_request_delay_milliseconds = 3).await;
    let customer = shop.customer();
    let wanted: Vec<_> = (0..60).map(|_| shop.wanted(&customer, Some("tok_success"))).collect();
    join_all(wanted.iter().enumerate().map(|(number, wanted)| {
        let shop = &shop;
        async move {
            // Before the request, behind it, behind it by some messages, and a few orders that stay open.
            match number % 4 {
                0 => {
                    shop.close(wanted).await;
                    shop.publish(Event::PaymentRequested(wanted.clone())).await;
                }
                1 => {
                    let requested = shop.publish(Event::PaymentRequested(wanted.clone())).await;
                    shop.close(wanted).await;
                    shop.broker.publish(&requested).await;
                }
                2 => {
                    let request = shop.publish(Event::PaymentRequested(wanted.clone()));
                    let _ = tokio::join!(request, shop.close(wanted));
                }
                _ => {
                    shop.publish(Event::PaymentRequested(wanted.clone())).await;
                }
            }
        }
    }))
    .await;
    for (number, wanted) in wanted.iter().enumerate() {
        shop.reaches(wanted.payment_id, if number % 4 == 3 { "captured" } else { "closed" }).await;
    }
    shop.settles().await;
    let (ledger, books) = (shop.ledger().await, shop.books().await);
    assert_eq!(ledger, books);
    assert_eq!(books.captured - books.refunded, 15 * AMOUNT);
    let kept = "select count(*) from payments where status = 'closed' and amount_captured <> amount_refunded";
    assert_eq!(shop.count(kept).await, 0);
}

/// Of every other charge the provider says that it was voided, and makes some of them all the same, at any time.
#[tokio::test(flavor = "multi_thread")]
async fn no_money_is_kept_twice_however_many_promises_the_provider_breaks() {
    let mut shop = Shop::open_with(|config| config.provider.simulator.simulator_answer_delay_milliseconds = 3).await;
    shop.start_with(|config| config.provider.simulator.simulator_request_delay_milliseconds = 3).await;
    promises(&shop, "hashtext(new.key) % 2 = 0").await;
    join_all((0..60).map(|number| {
        let (shop, customer) = (&shop, shop.customer());
        async move {
            let wanted = &shop.wanted(&customer, (number % 2 == 0).then_some("tok_success"));
            shop.publish(Event::PaymentRequested(wanted.clone())).await;
            shop.reaches_any(wanted.payment_id, &["awaiting_payment", "captured"]).await;
            pay(&customer, wanted.payment_id, "tok_success").await;
            captures_late(shop).await;
            if number % 3 == 0 {
                tokio::join!(pay(&customer, wanted.payment_id, "tok_success"), shop.close(wanted));
            } else {
                pay(&customer, wanted.payment_id, "tok_success").await;
            }
        }
    }))
    .await;
    captures_late(&shop).await;
    shop.clock.advance(time::Duration::minutes(20));
    all_is_looked_up(&shop).await;
    let late = "select count(*) from attempts where status = 'captured_late'";
    assert!(shop.count(late).await > 0);
    let of_a_payment = "select count(*) from payments where amount_captured - amount_refunded <>
           (select coalesce(sum(entry.amount - coalesce((select sum(amount) from simulator.refunds where charge_key = entry.key), 0)), 0)
            from attempts join simulator.charges as entry on entry.key = attempts.id::text and entry.status = 'captured'
            where payment_id = payments.id)";
    assert_eq!(shop.count(of_a_payment).await, 0);
    let kept = "select count(*) from payments where status <> 'captured' and amount_captured <> amount_refunded";
    assert_eq!(shop.count(kept).await, 0);
    let (ledger, books) = (shop.ledger().await, shop.books().await);
    assert_eq!(ledger.captured - ledger.refunded, books.captured - books.refunded);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_who_pay_while_their_orders_are_closed_lose_nothing() {
    let shop = Shop::open().await;
    let customer = shop.customer();
    let wanted = join_all((0..20).map(|_| shop.awaiting(&customer))).await;
    let answers = join_all(wanted.iter().map(|wanted| async {
        let (answer, _) = tokio::join!(pay(&customer, wanted.payment_id, "tok_success"), shop.close(wanted));
        answer
    }))
    .await;
    for (answer, wanted) in answers.iter().zip(&wanted) {
        shop.reaches(wanted.payment_id, "closed").await;
        match answer.status {
            200 => shop.goes_back(wanted.payment_id).await,
            _ => assert_eq!((answer.status, answer.code()), (409, "payment_closed")),
        }
    }
    shop.settles().await;
    assert_eq!(shop.ledger().await, shop.books().await);
    let books = shop.books().await;
    assert_eq!(books.captured, books.refunded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_in_the_middle_of_many_charges_loses_none_and_makes_none_wait() {
    let slow = |config: &mut payment::Config| config.provider.simulator.simulator_answer_delay_milliseconds = 1_000;
    let mut shop = Shop::open_with(slow).await;
    let customer = shop.customer();
    for _ in 0..100 {
        shop.publish(Event::PaymentRequested(shop.wanted(&customer, Some("tok_success")))).await;
    }
    let begun = "select count(*) from attempts";
    eventually("all charges are written down", || async { (shop.count(begun).await == 100).then_some(()) }).await;
    shop.stop().await;
    assert!(shop.count("select count(*) from attempts where status = 'open'").await > 0);
    // The clock stands still: nobody waits for the end of a hold.
    shop.start().await;
    shop.settles().await;
    let all = Sums { captured: 100 * AMOUNT, refunded: 0 };
    assert_eq!((shop.ledger().await, shop.books().await, shop.charges().await), (all, all, 100));
}

#[tokio::test]
async fn money_goes_back_however_many_charges_the_provider_leaves_waiting() {
    let mut shop = Shop::open().await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
    shop.stop().await;
    shop.start_with(|config| {
        config.provider.payment_provider_timeout_milliseconds = 60_000;
        config.provider.simulator.simulator_answer_delay_milliseconds = 60_000;
    })
    .await;
    for _ in 0..40 {
        shop.publish(Event::PaymentRequested(shop.wanted(&shop.customer(), Some("tok_success")))).await;
    }
    let begun = "select count(*) from attempts";
    eventually("all charges are written down", || async { (shop.count(begun).await == 41).then_some(()) }).await;
    shop.close(&wanted).await;
    eventually("the provider gives the money back", || async {
        (shop.ledger().await.refunded == AMOUNT).then_some(())
    })
    .await;
}
