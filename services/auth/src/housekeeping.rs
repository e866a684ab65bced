//! Takes out sessions whose time is over, so that their table does not grow for ever.

use std::time::Duration;

use ecommerce_runtime::Shutdown;
use ecommerce_types::Clock;
use sqlx::PgPool;
use tokio::time::MissedTickBehavior;

use crate::store;

const EVERY: Duration = Duration::from_mins(10);
/// Sessions in one statement, so that none holds many rows.
const AT_ONCE: i64 = 10_000;

/// Runs until the process stops.
pub(crate) async fn run(pool: PgPool, clock: Clock, shutdown: Shutdown) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.stopped() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = store::sessions::forget(&pool, clock.now(), AT_ONCE).await {
            tracing::warn!(%error, "unable to tidy up; it is tried again later");
        }
    }
}
