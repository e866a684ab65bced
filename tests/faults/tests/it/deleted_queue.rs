//! Somebody deletes the queue of each service, one after the other, under orders.

use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_contract::topology::queue;
use ecommerce_testing::{eventually, figure, scale, within};
use ecommerce_types::Clock;

use crate::books::SOON;
use crate::customers::Customers;
use crate::shop::{Conditions, Shop};

const SECONDS_TO_PAY: u32 = 30;
const AROUND: Duration = Duration::from_secs(1);

/// What is in a queue goes with it, also what comes while the broker deletes it: the broker confirms that. An order whose event was among it
/// ends by the clock, and how it ended is told again to whoever may not have heard.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_deleted_is_made_again_and_costs_nobody_money_or_stock() {
    let conditions = Conditions { loses_queues: true, ..Conditions::with_seconds_to_pay(SECONDS_TO_PAY) };
    let began = Clock::system().now();
    let mut shop = Shop::open_with(conditions).await;
    let mut customers = Customers::default();
    for _ in 0..scale(10, 1) {
        for service in Service::WITH_BROKER {
            customers.order_for(AROUND, &shop).await;
            shop.broker.delete(queue(service)).await;
            customers.order_for(AROUND, &shop).await;
            let what = format!("the queue of {service} is there again");
            eventually(&what, || shop.broker.depth(queue(service))).await;
        }
    }
    let placed = customers.all_have_ordered().await;
    within(SOON, "each order has ended", || async { (shop.open_orders().await == 0).then_some(()) }).await;
    shop.repeat(began).await;
    let ends = shop.settles().await;
    shop.is_all_acknowledged().await;
    assert_eq!(ends.paid + ends.closed, placed);
    assert!(ends.paid > ends.closed, "hardly anything was in a queue when it was deleted: {ends:?}");
    figure(
        "orders around queues that were deleted, and those whose event went with one",
        format_args!("{placed}, {}", ends.closed),
    );
}
