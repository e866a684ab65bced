//! The clock of all orders: ends those that nobody paid in time.
//!
//! The deadline stands in the order's row, so it survives restarts. Each replica looks, and each takes other rows.

use std::time::Duration;

use ecommerce_contract::Envelope;
use ecommerce_courier::Outgoing;
use ecommerce_postgres::Pool;
use ecommerce_runtime::Shutdown;
use ecommerce_types::{Clock, OrderId};
use sqlx::PgConnection;
use tokio::time::MissedTickBehavior;

use crate::domain::Change;
use crate::metrics::ORDERS_EXPIRED;
use crate::store::{self, Changes, WriteError};

const EVERY: Duration = Duration::from_secs(1);
/// How many orders one transaction ends.
const BATCH: i64 = 200;

/// Runs until the process stops.
pub(crate) async fn run(pool: Pool, clock: Clock, outgoing: Outgoing, shutdown: Shutdown) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unreadable = Vec::new();
    loop {
        tokio::select! {
            () = shutdown.stopped() => return,
            _ = tick.tick() => {}
        }
        loop {
            match expire(&pool, &clock, &mut unreadable).await {
                Ok(None) => break,
                Ok(Some(told)) => {
                    ORDERS_EXPIRED.add([], told.len() as u64);
                    tracing::info!(expired = told.len(), "ended orders that nobody paid in time");
                    outgoing.send(told);
                }
                Err(error) => {
                    tracing::warn!(%error, "unable to look for orders that have expired; looking again");
                    break;
                }
            }
        }
    }
}

/// Ends the orders that are longest overdue; answers what is to be told of it, or that there were none.
async fn expire(
    pool: &Pool,
    clock: &Clock,
    unreadable: &mut Vec<OrderId>,
) -> Result<Option<Vec<Envelope>>, WriteError> {
    let now = clock.now();
    let expire = async |transaction: &mut PgConnection| {
        let mut changes = Changes::default();
        let due = store::lock_due(transaction, now, unreadable, BATCH).await?;
        if due.orders.is_empty() && due.unreadable.is_empty() {
            return Ok(None);
        }
        unreadable.extend(due.unreadable);
        for mut order in due.orders {
            if let Change::Publish(event) = order.expire(now) {
                changes.events.push(Envelope::new(clock, None, event));
                changes.steps.push(order.latest_step(None));
                changes.orders.push(order);
            }
        }
        store::write(transaction, &changes).await?;
        Ok(Some(changes.events))
    };
    pool.transaction(expire).await
}
