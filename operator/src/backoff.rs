//! How long to wait before a stack is tried again: twice as long after each failure, counted for each stack by itself.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(5);

/// The failures of each stack since its last success.
#[derive(Debug, Default)]
pub struct Backoff(Mutex<HashMap<String, u32>>);

impl Backoff {
    /// Counts a failure; gives the time to wait.
    pub fn after_failure(&self, stack: &str) -> Duration {
        let mut failures = self.lock();
        let count = failures.entry(stack.to_owned()).or_insert(0);
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(*count)).min(LONGEST);
        *count = count.saturating_add(1);
        wait
    }

    /// Starts anew.
    pub fn after_success(&self, stack: &str) {
        self.lock().remove(stack);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_waits_longer_with_each_failure_and_not_for_another_ones() {
        let backoff = Backoff::default();
        let waits: Vec<u64> = (0..3).map(|_| backoff.after_failure("default/shop").as_secs()).collect();
        assert_eq!(waits, [1, 2, 4]);
        assert_eq!(backoff.after_failure("default/other"), FIRST);
        backoff.after_success("default/shop");
        assert_eq!(backoff.after_failure("default/shop"), FIRST);
    }

    #[test]
    fn no_wait_is_longer_than_the_longest() {
        let backoff = Backoff::default();
        assert_eq!((0..50).map(|_| backoff.after_failure("default/shop")).last(), Some(LONGEST));
    }
}
