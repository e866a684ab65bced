//! Customers who come one after the other, and insist.

use std::sync::Arc;
use std::time::Duration;

use ecommerce_testing::scale;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use uuid::Uuid;

use crate::shop::Shop;

/// Some hundreds come, however long it takes.
fn every() -> Duration {
    Duration::from_millis(u64::try_from(scale(100, 40)).unwrap())
}

/// As many wait for an answer at once, of those who keep a pace.
const AT_ONCE: usize = 32;

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

    /// So many order, one after the other at this pace, or as fast as this machine places orders if that is slower.
    pub(crate) async fn order_at_a_pace(&mut self, count: usize, every: Duration, shop: &Shop) {
        let (mut next, at_once) = (interval(every), Arc::new(Semaphore::new(AT_ONCE)));
        for _ in 0..count {
            next.tick().await;
            let (order, turn) = (shop.customer_who_insists(), at_once.clone().acquire_owned().await.unwrap());
            self.0.spawn(async move {
                let placed = order.await;
                drop(turn);
                placed
            });
        }
    }

    /// Waits until the order of each is placed; answers how many there are.
    pub(crate) async fn all_have_ordered(self) -> usize {
        self.0.join_all().await.len()
    }
}
