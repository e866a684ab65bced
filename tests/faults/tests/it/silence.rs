//! The ways to one kind of store fall silent, for all three services at once and under orders: nothing is refused, no answer comes.

use std::time::Duration;

use ecommerce_testing::{Link, figure, scale};

use crate::customers::Customers;
use crate::shop::{Shop, Store};

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_silent_under_orders() {
    // Longer than the work on one connection may take.
    silence(Store::Postgres, 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_is_silent_under_orders() {
    // Longer than two heartbeats.
    silence(Store::Rabbitmq, 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_silent_under_orders() {
    silence(Store::Redis, 3).await;
}

const AROUND: Duration = Duration::from_secs(1);
/// Shorter than the longer silence, in which orders expire.
const SECONDS_TO_PAY: u32 = 30;

async fn silence(store: Store, shortest: usize) {
    let mut shop = Shop::open(SECONDS_TO_PAY).await;
    let silence = Duration::from_secs(u64::try_from(scale(60, shortest)).unwrap());
    let mut customers = Customers::default();
    customers.order_for(AROUND, &shop).await;
    shop.wires_to(store).for_each(Link::clog);
    customers.order_for(silence, &shop).await;
    shop.wires_to(store).for_each(Link::mend);
    customers.order_for(AROUND, &shop).await;
    let placed = customers.all_have_ordered().await;
    let ends = shop.settles().await;
    shop.is_all_acknowledged().await;
    assert_eq!(ends.paid + ends.closed, placed);
    let ended = format!("{} paid, {} closed", ends.paid, ends.closed);
    figure(&format!("orders around a silence of {silence:?} of {store:?}"), ended);
}
