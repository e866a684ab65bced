//! What is looked after from time to time: sessions whose time is over go, so that their table does not grow for ever; and an
//! unknown address keeps taking the time of most accounts, whatever their hashes cost.

use std::time::Duration;

use ecommerce_runtime::Shutdown;
use ecommerce_runtime::exit::Chain;
use tokio::time::MissedTickBehavior;

use crate::{Error, State, store};

const EVERY: Duration = Duration::from_mins(10);
/// How soon again, when the database was away.
const AGAIN: Duration = Duration::from_secs(10);
/// Sessions in one statement, so that none holds many rows.
const AT_ONCE: u64 = 10_000;

/// Runs until the process stops.
pub(crate) async fn run(state: State, shutdown: Shutdown) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.stopped() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = tidy(&state).await {
            tracing::warn!(error = %Chain(&error), "unable to tidy up; it is tried again");
            tick.reset_after(AGAIN);
        }
    }
}

async fn tidy(state: &State) -> Result<(), Error> {
    while store::sessions::forget(&state.pool, state.clock.now(), AT_ONCE).await? == AT_ONCE {}
    if let Some(cost) = store::users::commonest_cost(&state.pool).await? {
        state.hashing.imitate(cost).await?;
    }
    Ok(())
}
