//! Takes out rows that have had their time, so that no table grows for ever, and closes connections that nobody needs.

use std::future::Future;
use std::time::Duration;

use ecommerce_runtime::{ErrorChain, Shutdown, every};

use crate::Pool;

const EVERY: Duration = Duration::from_mins(10);

/// How many rows one statement takes out at most, so that none holds many.
pub const BATCH: u64 = 5_000;

/// Runs until the process stops. `forget` takes out up to [`BATCH`] rows and answers how many there were; it is asked until
/// it finds fewer.
pub async fn run<F>(pool: Pool, shutdown: Shutdown, forget: impl Fn(Pool) -> F)
where
    F: Future<Output = Result<u64, sqlx::Error>>,
{
    every(EVERY, shutdown.clone(), || async {
        pool.rest();
        while !shutdown.is_stopped() {
            match forget(pool.clone()).await {
                Ok(BATCH..) => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(error = %ErrorChain(&error), "unable to take out old rows; it is tried again later");
                    return;
                }
            }
        }
    })
    .await;
}
