//! How long to wait before trying again.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use crate::Shutdown;

/// Waits that double from the shortest to the longest, each with up to its own length added at random, so that many who
/// failed together do not come back together.
#[derive(Debug)]
pub struct Backoff {
    waits: ExponentialBuilder,
    coming: ExponentialBackoff,
    longest: Duration,
}

impl Backoff {
    /// Waits from `shortest` to `longest`, before what chance adds.
    #[must_use]
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        let waits = ExponentialBuilder::new()
            .with_min_delay(shortest)
            .with_max_delay(longest)
            .without_max_times()
            .with_jitter();
        Self { waits, coming: waits.build(), longest }
    }

    /// Begins again with the shortest wait.
    pub fn reset(&mut self) {
        self.coming = self.waits.build();
    }

    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        self.coming.next().unwrap_or(self.longest)
    }

    /// Waits; shorter when the process stops meanwhile.
    pub async fn wait(&mut self, shutdown: &Shutdown) {
        // Whichever comes first: the end of the wait or of the process.
        let _ = tokio::time::timeout(self.next_wait(), shutdown.stopped()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_reset() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, second * 5);
        for shortest in [1, 2, 4, 5, 5] {
            let wait = backoff.next_wait();
            assert!((second * shortest..=second * shortest * 2).contains(&wait), "{wait:?} after {shortest} s");
        }
        backoff.reset();
        assert!(backoff.next_wait() <= second * 2);
    }
}
