//! How long to wait before a stack is tried again, counted for each stack by itself.

use std::collections::HashMap;
use std::time::Duration;

use ecommerce_runtime::Backoff;
use parking_lot::Mutex;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(5);

/// The waits of each stack since its last success.
#[derive(Debug, Default)]
pub struct Backoffs(Mutex<HashMap<String, Backoff>>);

impl Backoffs {
    /// Counts a failure; gives the time to wait.
    pub fn after_failure(&self, stack: &str) -> Duration {
        let mut failing = self.0.lock();
        failing.entry(stack.to_owned()).or_insert_with(|| Backoff::new(SHORTEST, LONGEST)).next_wait()
    }

    /// Starts anew.
    pub fn after_success(&self, stack: &str) {
        self.0.lock().remove(stack);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_waits_longer_with_each_failure_and_not_for_another_ones() {
        let backoffs = Backoffs::default();
        for shortest in [1, 2, 4] {
            assert!(backoffs.after_failure("default/shop") >= SHORTEST * shortest);
        }
        assert!(backoffs.after_failure("default/other") <= SHORTEST * 2);
        backoffs.after_success("default/shop");
        assert!(backoffs.after_failure("default/shop") <= SHORTEST * 2);
    }
}
