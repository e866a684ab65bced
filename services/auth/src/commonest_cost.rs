//! An unknown address takes the time of most accounts, whatever their hashes cost, so that the time does not tell which exist.

use std::time::Duration;

use ecommerce_runtime::{ErrorChain, Shutdown, every};

use crate::Error;
use crate::state::State;
use crate::store::accounts;

const EVERY: Duration = Duration::from_mins(10);

/// Looks at the hashes from time to time until the process stops.
pub(crate) async fn follow(state: State, shutdown: Shutdown) {
    every(EVERY, shutdown, || async {
        if let Err(error) = look(&state).await {
            tracing::warn!(error = %ErrorChain(&error), "unable to tell what most hashes cost; it is tried again later");
        }
    })
    .await;
}

async fn look(state: &State) -> Result<(), Error> {
    match accounts::commonest_cost(&state.pool).await? {
        Some(cost) => state.hashing.imitate(cost).await,
        None => Ok(()),
    }
}
