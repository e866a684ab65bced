//! How long to wait before trying again.

use std::time::Duration;

use ecommerce_runtime::Shutdown;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Waits that double from 100 ms to 5 s.
#[derive(Debug)]
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// Begins again with the shortest wait.
    pub fn reset(&mut self) {
        self.0 = FIRST;
    }

    /// Waits; shorter when the process stops meanwhile.
    pub async fn wait(&mut self, shutdown: &Shutdown) {
        // A deadline on the end of the process: whichever comes first.
        let _ = tokio::time::timeout(self.0, shutdown.stopped()).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}
