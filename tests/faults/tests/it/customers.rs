//! Customers who come one after the other, and insist.

use std::time::Duration;

use ecommerce_testing::scale;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use uuid::Uuid;

use crate::shop::Shop;

/// Some hundreds come, however long it takes.
fn every() -> Duration {
    Duration::from_millis(u64::try_from(scale(100, 40)).unwrap())
}

/// Those who have come.
#[derive(Default)]
pub(crate) struct Customers(JoinSet<Uuid>);

impl Customers {
    /// One after the other orders, for so long.
    pub(crate) async fn order_for(&mut self, time: Duration, shop: &Shop) {
        let (until, mut next) = (Instant::now() + time, interval(every()));
        while next.tick().await < until {
            self.0.spawn(shop.customer_who_insists());
        }
    }

    /// Waits until the order of each is placed; answers how many there are.
    pub(crate) async fn all_have_ordered(self) -> usize {
        self.0.join_all().await.len()
    }
}
