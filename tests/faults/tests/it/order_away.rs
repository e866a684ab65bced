//! Order is cut off from its stores: nobody ends the orders whose time to pay is over, and nobody hears of those that were paid in time.

use ecommerce_contract::Service;
use ecommerce_testing::{Link, eventually, figure, scale, throughout, within};
use ecommerce_types::Clock;
use time::Duration;
use tokio::task::JoinSet;

use crate::books::{Ends, LOOK};
use crate::shop::{Conditions, Shop, Store};

const SECONDS_TO_PAY: u32 = 30;
/// In less, the clock looks for orders that nobody has paid, also with connections to open.
const CLOCK: std::time::Duration = std::time::Duration::from_secs(5);
/// The clocks of two services may differ by so much: a reservation is not missed before.
const CLOCKS_DIFFER: Duration = Duration::MINUTE;

#[tokio::test(flavor = "multi_thread")]
async fn reservations_past_their_deadline_show_while_order_is_away_and_are_gone_when_it_is_back() {
    let clock = Clock::manual(Clock::system().now());
    let mut conditions = Conditions::with_seconds_to_pay(SECONDS_TO_PAY);
    conditions.clock = clock.clone();
    let mut shop = Shop::open_alone(conditions).await;
    let orders = scale(200, 20);
    for _ in 0..orders {
        shop.customer_who_does_not_pay().await;
    }
    let all = i64::try_from(orders).unwrap();
    eventually("each has its mug", || async { (shop.reserved().await == all).then_some(()) }).await;
    assert_eq!(shop.reservations_past_deadline().await, Some(0));

    shop.wires_of(Service::Order).for_each(Link::cut);
    clock.advance(Duration::seconds(SECONDS_TO_PAY.into()) + CLOCKS_DIFFER + Duration::SECOND);
    within(LOOK, "all of them are past their deadline", || async {
        (shop.reservations_past_deadline().await == Some(all)).then_some(())
    })
    .await;
    shop.wires_of(Service::Order).for_each(Link::mend);
    let ends = shop.settles().await;
    shop.is_all_acknowledged().await;
    assert_eq!(ends, Ends { paid: 0, closed: orders });
    assert_eq!(shop.reservations_past_deadline().await, Some(0));
    figure("reservations past their deadline while order was away, and none after", orders);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_customers_paid_in_time_while_order_was_away_is_theirs() {
    let clock = Clock::manual(Clock::system().now());
    let mut conditions = Conditions::with_seconds_to_pay(SECONDS_TO_PAY);
    conditions.clock = clock.clone();
    let mut shop = Shop::open_with(conditions).await;
    shop.provider_goes().await;
    let orders = scale(1_000, 50);
    let ordering: JoinSet<_> = (0..orders).map(|_| shop.customer_who_insists()).collect();
    ordering.join_all().await;
    let all = i64::try_from(orders).unwrap();
    eventually("the money of each is asked for", || async { (shop.charges_under_way().await == all).then_some(()) })
        .await;
    shop.wires_of(Service::Order).for_each(Link::cut);
    shop.provider_is_back().await;
    within(LOOK, "each is captured", || async { (shop.captured().await == all).then_some(()) }).await;
    clock.advance(Duration::seconds(SECONDS_TO_PAY.into()) + Duration::HOUR);
    // The clock has its table again before the consumer has its queue.
    shop.wire_of(Service::Order, Store::Postgres).mend();
    throughout(CLOCK, "nothing is ended", || async { shop.ended().await == 0 }).await;
    shop.wires_of(Service::Order).for_each(Link::mend);
    let ends = shop.settles().await;
    shop.is_all_acknowledged().await;
    assert_eq!(ends, Ends { paid: orders, closed: 0 });
    figure("orders that were paid in time while order was away for longer, and none was closed", orders);
}
