//! What has ended goes after its time, and what comes again after that changes nothing.

use ecommerce_contract::Envelope;
use ecommerce_contract::Event;
use ecommerce_contract::events::PaymentRequested;
use ecommerce_testing::{Client, eventually, scale};
use ecommerce_types::{PaymentId, Role};
use serde_json::Value;
use time::Duration;
use uuid::Uuid;

use crate::captured_late::{all_is_looked_up, captures_late, promises};
use crate::shop::{AMOUNT, Shop, Sums, path, pay, pay_with_key};

/// Everything but payments that were requested, and processes.
const ALL_THAT_GOES: &str = "select (select count(*) from attempts) + (select count(*) from open_attempts)
   + (select count(*) from voided_charges) + (select count(*) from declines) + (select count(*) from idempotency_keys)
   + (select count(*) from payments where customer_id is null)";

#[tokio::test(flavor = "multi_thread")]
async fn after_a_month_only_the_payments_of_orders_are_left_and_what_comes_again_moves_no_money() {
    let mut shop = Shop::open().await;
    let customer = shop.customer();
    let stories = Stories::happen(&shop, &customer).await;
    let orders = scale(100_000, 10_000);
    end_many(&shop, orders).await;
    shop.stop().await;
    assert!(shop.count(ALL_THAT_GOES).await > i64::try_from(orders).unwrap());

    shop.clock.advance(Duration::days(31));
    shop.start().await;
    shop.start().await; // two replicas do the same work at once
    eventually("all goes", || async { (shop.count(ALL_THAT_GOES).await == 0).then_some(()) }).await;
    assert!(shop.count("select count(*) from holders").await <= 2);
    let payments = i64::try_from(orders / 5 * 4 + 3 * Stories::EACH).unwrap();
    assert_eq!(shop.count("select count(*) from payments").await, payments);

    // Everything is told again, in another sequence.
    let (ledger, books) = (shop.ledger().await, shop.books().await);
    let seen = stories.seen(&shop).await;
    for told in stories.told.iter().rev().chain(&stories.told) {
        shop.broker.publish(told).await;
    }
    let (unheard_of, every) = (i64::try_from(Stories::EACH).unwrap(), "select count(*) from payments");
    eventually("what was lost has come", || async { (shop.count(every).await == payments + unheard_of).then_some(()) })
        .await;
    shop.awaiting(&customer).await;
    eventually("all is handled", || async { (shop.broker.depth("payment").await == Some(0)).then_some(()) }).await;
    shop.settles().await;
    assert_eq!((shop.ledger().await, shop.books().await), (ledger, books));
    assert_eq!(stories.seen(&shop).await, seen);
    assert_eq!(shop.count("select count(*) from attempts").await, 0);
    let sold = stories.sold[0].payment_id;
    assert_eq!(pay(&shop.staff(), sold, "tok_success").await.code(), "payment_captured");
}

#[tokio::test]
async fn a_sale_is_given_back_however_long_ago_it_was_charged() {
    let mut shop = Shop::open().await;
    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    assert!(matches!(shop.published().await, Event::PaymentCaptured(_)));
    shop.clock.advance(Duration::days(2));
    shop.start().await;
    eventually("the charge goes", || async { (shop.count(ALL_THAT_GOES).await == 0).then_some(()) }).await;
    shop.close(&wanted).await;
    assert!(matches!(shop.published().await, Event::PaymentRefunded(refunded) if refunded.refunded_total == AMOUNT));
    let both = Sums { captured: AMOUNT, refunded: AMOUNT };
    assert_eq!((shop.ledger().await, shop.books().await), (both, both));
}

/// Nobody charges for a request that comes later than its deadline.
#[tokio::test]
async fn a_tombstone_goes_soon_after_the_deadline_and_one_of_an_older_version_after_eight_days() {
    let mut shop = Shop::open().await;
    let (short, mut long) = (shop.wanted(&shop.customer(), None), shop.wanted(&shop.customer(), None));
    long.pay_by += Duration::days(2);
    shop.close(&short).await;
    shop.close(&long).await;
    let tombstones = "select count(*) from payments where customer_id is null";
    eventually("both are remembered", || async { (shop.count(tombstones).await == 2).then_some(()) }).await;
    let older = "insert into payments (id, order_id, status, created_at, updated_at)
                 values (gen_random_uuid(), gen_random_uuid(), 'closed', $1, $1)";
    sqlx::query(older).bind(shop.clock.now()).execute(&shop.database.pool).await.unwrap();
    for (passes, left) in [
        (Duration::hours(2), 2),
        (Duration::days(2), 1),
        (Duration::days(6) - Duration::hours(3), 1),
        (Duration::hours(2), 0),
    ] {
        shop.clock.advance(passes);
        shop.start().await;
        eventually("so many are left", || async { (shop.count(tombstones).await == left).then_some(()) }).await;
    }
}

#[tokio::test]
async fn what_is_still_remembered_stays() {
    let mut shop = Shop::open().await;
    let customer = shop.customer();
    let old = shop.wanted(&customer, Some("tok_success"));
    shop.publish(Event::PaymentRequested(old.clone())).await;
    shop.reaches(old.payment_id, "captured").await;
    let mut tombstone = shop.wanted(&customer, Some("tok_success"));
    tombstone.pay_by += Duration::days(8);
    shop.close(&tombstone).await;
    shop.clock.advance(Duration::days(7));
    let answered = shop.awaiting(&customer).await.payment_id;
    let answer = pay_with_key(&customer, answered, "tok_declined", "k").await;
    assert_eq!(answer.status, 402);
    shop.clock.advance(Duration::hours(24) - Duration::SECOND);

    shop.start().await;
    eventually("what is older goes", || async {
        (shop.count("select count(*) from attempts").await == 1).then_some(())
    })
    .await;
    let same = Client::person(shop.address, &shop.keys, Role::Customer).with("x-user-id", old.customer_id.to_string());
    assert_eq!(pay_with_key(&same, answered, "tok_declined", "k").await.bytes, answer.bytes);
    // As late as an order's longest time to pay: the tombstone is there, and the request charges nothing.
    let late = PaymentRequested { pay_by: shop.clock.now() + Duration::SECOND, ..tombstone.clone() };
    shop.publish(Event::PaymentRequested(late)).await;
    shop.reaches(tombstone.payment_id, "closed").await;
    assert_eq!(shop.ledger().await.captured, AMOUNT);
}

#[tokio::test]
async fn a_charge_that_has_still_to_be_looked_up_stays_and_what_was_captured_late_is_in_the_books() {
    let mut shop = Shop::open().await;
    promises(&shop, "true").await;
    let mut wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    wanted.pay_by += Duration::days(3);
    shop.publish(Event::PaymentRequested(wanted)).await;
    eventually("it is voided", || async {
        (shop.count("select count(*) from voided_charges").await == 1).then_some(())
    })
    .await;
    a_while_passes_until_so_many_are_left(&mut shop, 1).await;
    assert_eq!(captures_late(&shop).await, 1);
    shop.clock.advance(Duration::days(2));
    all_is_looked_up(&shop).await;
    a_while_passes_until_so_many_are_left(&mut shop, 2).await;
    assert_eq!(shop.ledger().await, Sums { captured: AMOUNT, refunded: AMOUNT });
}

/// What was there goes with others that have ended, in one statement, or stays.
async fn a_while_passes_until_so_many_are_left(shop: &mut Shop, attempts: i64) {
    end_many(shop, 5).await;
    shop.clock.advance(Duration::days(2));
    shop.start().await;
    let shop = &*shop;
    eventually("what has ended goes", || async {
        (shop.count("select count(*) from attempts").await == attempts).then_some(())
    })
    .await;
}

/// Orders that happen, with all that is told of them.
struct Stories {
    told: Vec<Envelope>,
    sold: Vec<PaymentRequested>,
    all: Vec<PaymentId>,
}

impl Stories {
    const EACH: usize = 10;

    /// Of each: sold; sold and called off; called off before it was requested; called off, and never requested.
    async fn happen(shop: &Shop, customer: &Client) -> Self {
        let mut stories = Self { told: Vec::new(), sold: Vec::new(), all: Vec::new() };
        for _ in 0..Self::EACH {
            let [sold, called_off, closed_first, unheard_of] =
                std::array::from_fn(|_| shop.wanted(customer, Some("tok_success")));
            for wanted in [&sold, &called_off] {
                stories.told.push(shop.publish(Event::PaymentRequested(wanted.clone())).await);
                shop.reaches(wanted.payment_id, "captured").await;
            }
            for wanted in [&called_off, &closed_first, &unheard_of] {
                stories.told.push(shop.close(wanted).await);
            }
            stories.told.push(shop.publish(Event::PaymentRequested(closed_first.clone())).await);
            for wanted in [&called_off, &closed_first] {
                shop.reaches(wanted.payment_id, "closed").await;
            }
            stories.all.extend([&sold, &called_off, &closed_first].map(|wanted| wanted.payment_id));
            // It was lost on its way, and comes after a month.
            stories.told.push(Envelope::new(&shop.clock, None, Event::PaymentRequested(unheard_of)));
            stories.sold.push(sold);
        }
        shop.settles().await;
        stories
    }

    /// What staff see of their payments.
    async fn seen(&self, shop: &Shop) -> Vec<Value> {
        let mut seen = Vec::new();
        let staff = shop.staff();
        for id in &self.all {
            seen.push(staff.get(&path(*id)).await.body);
        }
        seen
    }
}

/// Orders that have ended in each of five ways, as their rows are then: sold, failed, given back, expired, a tombstone.
async fn end_many(shop: &Shop, orders: usize) {
    let ids = |count: usize| -> Vec<Uuid> { (0..count).map(|_| shop.clock.new_id()).collect() };
    let (payments, charges, others, now) = (ids(orders), ids(orders), ids(orders), shop.clock.now());
    let ended = "with ended as materialized (
           select payment, charge, other, number % 5 as way, gen_random_uuid() as customer
           from unnest($1::uuid[], $2::uuid[], $3::uuid[]) with ordinality as ended (payment, charge, other, number)),
         payments as (
           insert into payments (id, order_id, customer_id, amount, currency, status, pay_by, charge_id, amount_captured, amount_refunded,
             created_at, updated_at)
           select payment, gen_random_uuid(), case when way < 4 then customer end, case when way < 4 then 100 end,
             case when way < 4 then 'EUR' end, (array['captured', 'failed', 'closed', 'closed', 'closed'])[way + 1],
             case when way < 4 then $4 + interval '15 minutes' end, case when way in (0, 2) then charge end,
             case when way in (0, 2) then 100 else 0 end, case when way = 2 then 100 else 0 end, $4, $4
           from ended),
         declines as (insert into declines (customer_id, declined_at, attempt_id) select customer, $4, charge from ended where way = 1),
         refunds as (
           insert into attempts (id, kind, payment_id, customer_id, amount, currency, charge_id, status, created_at, updated_at)
           select other, 'refund', payment, customer, 100, 'EUR', charge, 'refunded', $4, $4 from ended where way = 2)
       insert into attempts (id, kind, payment_id, customer_id, amount, currency, method, status, decline_code, requested_by,
         idempotency_key, request_hash, answer_status, answer_body, created_at, updated_at)
       select charge, 'charge', payment, customer, 100, 'EUR', 'tok', (array['captured', 'declined', 'captured', 'abandoned'])[way + 1],
         case when way = 1 then 'card_declined' end, customer, 'k', '', 200, '', $4, $4
       from ended where way < 4";
    let ended = sqlx::query(ended).bind(payments).bind(charges).bind(others).bind(now);
    ended.execute(&shop.database.pool).await.unwrap();
}
