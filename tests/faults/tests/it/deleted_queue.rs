//! Somebody deletes the queue of each service, one after the other, under orders.

use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_contract::topology::queue;
use ecommerce_testing::{eventually, figure, scale};

use crate::books::Ends;
use crate::customers::Customers;
use crate::shop::{Conditions, Shop};

/// Longer than anybody waits here: an order that is late is one that was lost.
const SECONDS_TO_PAY: u32 = 300;
const AROUND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_deleted_is_made_again_and_costs_no_order_and_no_event() {
    let conditions = Conditions { is_heard: false, ..Conditions::with_seconds_to_pay(SECONDS_TO_PAY) };
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
    let ends = shop.settles().await;
    shop.is_all_acknowledged().await;
    assert_eq!(ends, Ends { paid: placed, closed: 0 });
    figure("orders around queues that were deleted", placed);
}
