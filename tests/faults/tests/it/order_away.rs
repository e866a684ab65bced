//! Order is cut off from its stores, and nobody ends the orders whose time to pay is over.

use ecommerce_contract::Service;
use ecommerce_testing::{Link, eventually, figure, scale, within};
use ecommerce_types::Clock;
use time::Duration;

use crate::books::{Ends, LOOK};
use crate::shop::{Conditions, Shop};

const SECONDS_TO_PAY: u32 = 30;
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
