//! Work that is done again and again until the process stops.

use std::future::Future;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::Shutdown;

/// Does `work` at once and then every `period`, until the process stops. Work that takes longer than a period delays the
/// next and is not caught up with.
pub async fn every<F: Future<Output = ()>>(period: Duration, shutdown: Shutdown, mut work: impl FnMut() -> F) {
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.stopped() => return,
            _ = tick.tick() => {}
        }
        work().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_is_done_at_once_and_again_until_the_process_stops() {
        let shutdown = Shutdown::new();
        let mut done = 0;
        every(Duration::from_mins(1), shutdown.clone(), || {
            done += 1;
            if done == 3 {
                shutdown.stop();
            }
            std::future::ready(())
        })
        .await;
        assert_eq!(done, 3);
    }
}
