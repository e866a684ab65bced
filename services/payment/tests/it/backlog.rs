//! Payment was away for hours, and every order that was placed meanwhile wants its money.

use std::time::Duration;

use ecommerce_contract::Event;
use ecommerce_testing::{figure, scale, within};
use futures::future::join_all;

use crate::shop::{AMOUNT, Shop, Sums};

const CALLS: usize = 16;
/// What one batch brings, in the sequence of the provider's calls.
const MOST_DISPLACED: i64 = 100 + 16;
/// Over which the requests have come, and how long each order then has to be paid.
const AWAY: time::Duration = time::Duration::hours(2);
const WINDOW: time::Duration = time::Duration::hours(3);
const AT_ONCE: usize = 500;
const SOON: Duration = Duration::from_mins(15);

#[tokio::test(flavor = "multi_thread")]
async fn what_has_waited_is_charged_in_the_order_of_its_age_and_as_fast_as_what_has_not() {
    let count = scale(100_000, 2_000);
    let steady = charged(count / 20).await;
    let caught_up = charged(count).await;
    let percent = 100.0 * caught_up / steady;
    figure("payments that waited, charged in a second", format!("{caught_up:.0}, {percent:.0} % of {steady:.0}"));
}

/// Has so many requests wait for payment, and answers how many it then charges in a second.
async fn charged(count: usize) -> f64 {
    let all = i64::try_from(count).unwrap();
    let mut shop = Shop::without_service().await;
    shop.broker.declare().await;
    let customer = shop.customer();
    let mut requests = Vec::new();
    for _ in 0..count {
        shop.clock.advance(AWAY / i32::try_from(count).unwrap());
        let mut wanted = shop.wanted(&customer, Some("tok_success"));
        wanted.pay_by = shop.clock.now() + WINDOW;
        requests.push(Event::PaymentRequested(wanted));
    }
    while !requests.is_empty() {
        let rest = requests.split_off(AT_ONCE.min(requests.len()));
        join_all(requests.into_iter().map(|request| shop.publish(request))).await;
        requests = rest;
    }
    shop.start_with(|config| {
        config.provider.payment_provider_most_calls = CALLS;
        config.provider.simulator.simulator_answer_delay_milliseconds = 20;
    })
    .await;
    within(SOON, "all are taken", || async { (shop.broker.waiting("payment").await == 0).then_some(()) }).await;
    within(SOON, "all are charged", || async { (shop.charges().await == all).then_some(()) }).await;
    shop.settles().await;

    // By how many places a charge stands in another place than its payment.
    let displaced = "select max(abs(place - age)) from (
           select row_number() over (order by entry.created_at) as place, row_number() over (order by payment_id) as age
           from simulator.charges as entry join attempts on attempts.id::text = entry.key) as places";
    let displaced = shop.count(displaced).await;
    assert!(displaced <= MOST_DISPLACED, "displaced by {displaced} of {count}");
    let once = Sums { captured: all * AMOUNT, refunded: 0 };
    assert_eq!((shop.ledger().await, shop.books().await), (once, once));
    let rate =
        "select (count(*) / extract(epoch from max(created_at) - min(created_at)))::float8 from simulator.charges";
    sqlx::query_scalar(rate).fetch_one(&shop.database.pool).await.unwrap()
}
