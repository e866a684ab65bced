//! The disk of PostgreSQL's write-ahead log is full, under orders: the server falls, and cannot come back until there is room.

use std::time::Duration;

use ecommerce_testing::{Postgres, figure, scale};

use crate::books::Ends;
use crate::customers::Customers;
use crate::shop::Shop;

/// Longer than anybody waits here: an order that is late is one that was lost.
const SECONDS_TO_PAY: u32 = 300;
const AROUND: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_full_write_ahead_log_costs_no_order_and_no_event() {
    let postgres = Postgres::start().await;
    let mut shop = Shop::open_on(&postgres.url, &postgres.url.parse().unwrap(), SECONDS_TO_PAY).await;
    let full = Duration::from_secs(u64::try_from(scale(30, 3)).unwrap());
    let mut customers = Customers::default();
    customers.order_for(AROUND, &shop).await;
    tokio::join!(postgres.fill_disk(), customers.order_for(full, &shop));
    postgres.empty_disk();
    customers.order_for(AROUND, &shop).await;
    let placed = customers.all_have_ordered().await;
    let ends = shop.settles().await;
    shop.is_all_acknowledged().await;
    assert_eq!(ends, Ends { paid: placed, closed: 0 });
    figure("orders around a full write-ahead log", placed);
}
