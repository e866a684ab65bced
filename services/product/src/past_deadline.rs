//! Looks for reservations that nobody has ended: order has not said what became of the order, or was not heard.

use std::time::Duration;

use ecommerce_postgres::Pool;
use ecommerce_runtime::{ErrorChain, Shutdown, every};
use ecommerce_types::Clock;

use crate::metrics::RESERVATIONS_PAST_DEADLINE;
use crate::store::reservations;

const EVERY: Duration = Duration::from_secs(15);

/// Runs until the process stops. Each replica shows the same number.
pub(crate) async fn run(pool: Pool, clock: Clock, shutdown: Shutdown) {
    every(EVERY, shutdown, || async {
        match reservations::past_deadline(&pool, clock.now()).await {
            Ok(count) => RESERVATIONS_PAST_DEADLINE.set([], count),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "unable to look for reservations past their deadline; looking again");
            }
        }
    })
    .await;
}
