//! The clock of all orders: ends those that nobody paid in time.
//!
//! The deadline stands in the order's row, so it survives restarts. Each replica looks, and each takes other rows.

use std::time::Duration;

use ecommerce_contract::Envelope;
use ecommerce_courier::Outgoing;
use ecommerce_postgres::{Pool, Unreadable};
use ecommerce_runtime::{Shutdown, every};
use ecommerce_types::Clock;
use sqlx::PgConnection;
use tokio::sync::Mutex;

use crate::domain::Change;
use crate::metrics::ORDERS_EXPIRED;
use crate::store::{self, Changes, WriteError};

const EVERY: Duration = Duration::from_secs(1);
/// How many orders one transaction ends.
const BATCH: i64 = 200;

/// Runs until the process stops.
pub(crate) async fn run(pool: Pool, clock: Clock, outgoing: Outgoing, shutdown: Shutdown) {
    let unreadable = Mutex::new(Unreadable::default());
    every(EVERY, shutdown.clone(), || async {
        let mut unreadable = unreadable.lock().await;
        while !shutdown.is_stopped() {
            match expire(&pool, &clock, &mut unreadable).await {
                Ok(Looked { told, is_more }) => {
                    if !told.is_empty() {
                        ORDERS_EXPIRED.add([], told.len() as u64);
                        tracing::info!(expired = told.len(), "ended orders that nobody paid in time");
                        outgoing.send(told);
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
    })
    .await;
}

/// What one look has brought.
#[derive(Debug, Default)]
struct Looked {
    /// What is to be told of the orders that have ended.
    told: Vec<Envelope>,
    /// Whether another look at once would find others.
    is_more: bool,
}

/// Ends the orders that are longest overdue.
async fn expire(pool: &Pool, clock: &Clock, unreadable: &mut Unreadable) -> Result<Looked, WriteError> {
    let now = clock.now();
    let expire = async |transaction: &mut PgConnection| {
        let mut changes = Changes::default();
        let due = store::lock_due(transaction, now, unreadable.ids(), BATCH).await?;
        if due.orders.is_empty() && due.unreadable.is_empty() {
            return Ok(Looked::default());
        }
        let mut is_more = unreadable.remember(due.unreadable.into_iter().map(|id| id.0));
        for mut order in due.orders {
            if let Change::Publish(event) = order.expire(now) {
                changes.events.push(Envelope::new(clock, None, event));
                changes.steps.push(order.latest_step(None));
                changes.orders.push(order);
                is_more = true;
            }
        }
        store::write(transaction, &changes).await?;
        Ok(Looked { told: changes.events, is_more })
    };
    pool.transaction(expire).await
}
