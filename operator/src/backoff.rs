//! How long to wait before a stack is tried again, counted for each stack by itself.

use std::collections::HashMap;
use std::time::Duration;

use ecommerce_runtime::Backoff;
use parking_lot::Mutex;

/// The waits of each stack since it was last as it should be.
#[derive(Debug)]
pub struct Backoffs {
    shortest: Duration,
    longest: Duration,
    waits: Mutex<HashMap<String, Backoff>>,
}

impl Backoffs {
    /// Waits from `shortest` to `longest`, before what chance adds.
    #[must_use]
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest: longest.max(shortest), waits: Mutex::default() }
    }

    /// Counts one more; gives the time to wait.
    pub fn next(&self, stack: &str) -> Duration {
        let mut waits = self.waits.lock();
        waits.entry(stack.to_owned()).or_insert_with(|| Backoff::new(self.shortest, self.longest)).next_wait()
    }

    /// Starts anew.
    pub fn forget(&self, stack: &str) {
        self.waits.lock().remove(stack);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_waits_longer_with_each_failure_and_not_for_another_ones() {
        let second = Duration::from_secs(1);
        let backoffs = Backoffs::new(second, Duration::from_mins(5));
        for shortest in [1, 2, 4] {
            assert!(backoffs.next("default/shop") >= second * shortest);
        }
        assert!(backoffs.next("default/other") <= second * 2);
        backoffs.forget("default/shop");
        assert!(backoffs.next("default/shop") <= second * 2);
    }
}
