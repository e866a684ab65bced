//! The clock of all orders: ends those that nobody paid in time.
//!
//! The deadline stands in the order's row, so it survives restarts. Each replica looks, and each takes other rows. Which deadlines are over
//! says [`Overdue`].

use std::time::Duration;

use ecommerce_contract::Envelope;
use ecommerce_courier::{Hearing, Outgoing};
use ecommerce_postgres::{LowEnd, Pool, Unreadable};
use ecommerce_runtime::{Shutdown, every};
use ecommerce_types::Clock;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use crate::domain::{Change, Overdue};
use crate::metrics::ORDERS_EXPIRED;
use crate::store::{self, Changes, WriteError};

const EVERY: Duration = Duration::from_secs(1);
/// How many orders one transaction ends.
const BATCH: i64 = 200;

/// What the clock works with.
#[derive(Debug)]
pub(crate) struct Deadlines {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    /// From its payment deadline until an order whose money was asked for is ended.
    pub(crate) grace: time::Duration,
    /// How far this process has heard what payment tells.
    pub(crate) hearing: Hearing,
    pub(crate) outgoing: Outgoing,
}

impl Deadlines {
    /// Runs until the process stops.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let seen = Mutex::new(Seen::default());
        every(EVERY, shutdown.clone(), || self.expire_all(&seen, &shutdown)).await;
    }

    async fn expire_all(&self, seen: &Mutex<Seen>, shutdown: &Shutdown) {
        let mut seen = seen.lock().await;
        while !shutdown.is_stopped() {
            match self.expire(&mut seen).await {
                Ok(Looked { told, is_more }) => {
                    if !told.is_empty() {
                        ORDERS_EXPIRED.add([], told.len() as u64);
                        tracing::info!(expired = told.len(), "ended orders that nobody paid in time");
                        self.outgoing.send(told);
                    }
                    if !is_more {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "unable to look for orders that have expired; looking again");
                    return;
                }
            }
        }
    }

    /// Ends the orders that are longest overdue.
    async fn expire(&self, seen: &mut Seen) -> Result<Looked, WriteError> {
        let now = self.clock.now();
        let overdue = self.overdue(now);
        let Seen { low_end, unreadable } = seen;
        let after = low_end.begin();
        let expire = async |transaction: &mut PgConnection| {
            let mut changes = Changes::default();
            let due = store::lock_due(transaction, after, overdue, unreadable.ids(), BATCH).await?;
            if due.orders.is_empty() && due.unreadable.is_empty() {
                return Ok::<_, WriteError>(Looked::default());
            }
            let mut is_more = unreadable.remember(due.unreadable.into_iter().map(|id| id.0));
            for mut order in due.orders {
                if let Change::Publish(event) = order.expire(overdue, now) {
                    changes.events.push(Envelope::new(&self.clock, None, event));
                    changes.steps.push(order.latest_step(None));
                    changes.orders.push(order);
                    is_more = true;
                }
            }
            store::write(transaction, &changes).await?;
            Ok(Looked { told: changes.events, is_more })
        };
        let looked = self.pool.transaction(expire).await?;
        if !looked.is_more {
            low_end.left_nothing(overdue.awaiting_payment);
        }
        Ok(looked)
    }

    fn overdue(&self, now: OffsetDateTime) -> Overdue {
        let heard = self.hearing.heard();
        let works = heard.works_since.and_then(|since| since.elapsed().try_into().ok());
        Overdue::at(now, self.grace, heard.until, works)
    }
}

/// What earlier looks have seen.
#[derive(Debug, Default)]
struct Seen {
    low_end: LowEnd,
    unreadable: Unreadable,
}

/// What one look has brought.
#[derive(Debug, Default)]
struct Looked {
    /// What is to be told of the orders that have ended.
    told: Vec<Envelope>,
    /// Whether another look at once would find others.
    is_more: bool,
}
