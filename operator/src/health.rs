//! Whether the operator still does its work: a process that answers while its watches hang is not alive.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use ecommerce_types::Clock;
use time::OffsetDateTime;

/// Renewals of the Lease come every few seconds, whether this process leads or waits.
const LEASE_SILENCE: Duration = Duration::from_mins(1);

/// When the operator last did what it is there for.
#[derive(Debug)]
pub struct Health {
    clock: Clock,
    lease: AtomicI64,
    reconcile: AtomicI64,
    has_stacks: AtomicBool,
    /// Each stack is reconciled more often than this, also one that fails again and again.
    reconcile_silence: Duration,
}

impl Health {
    /// Alive as of now, where a stack is looked at again after a resync, and one that fails after at most twice the longest backoff.
    #[must_use]
    pub fn new(clock: Clock, resync: Duration, longest_backoff: Duration) -> Self {
        let now = clock.now().unix_timestamp();
        let reconcile_silence = resync.max(longest_backoff).max(Duration::from_mins(1)).saturating_mul(3);
        Self { clock, lease: now.into(), reconcile: now.into(), has_stacks: false.into(), reconcile_silence }
    }

    /// The Lease was asked for, whatever became of it: an API server that is away is mended by no restart of ours.
    pub fn asked_for_the_lease(&self) {
        self.lease.store(self.clock.now().unix_timestamp(), Ordering::Relaxed);
    }

    /// A reconcile ended, well or not.
    pub fn reconciled(&self) {
        self.has_stacks.store(true, Ordering::Relaxed);
        self.reconcile.store(self.clock.now().unix_timestamp(), Ordering::Relaxed);
    }

    /// Nothing is there to reconcile.
    pub fn nothing_to_reconcile(&self) {
        self.has_stacks.store(false, Ordering::Relaxed);
    }

    /// Whether it did all of that lately.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let lately = |at: &AtomicI64, silence: Duration| {
            let at = OffsetDateTime::from_unix_timestamp(at.load(Ordering::Relaxed));
            at.is_ok_and(|at| at + silence > self.clock.now())
        };
        let reconciles = !self.has_stacks.load(Ordering::Relaxed) || lately(&self.reconcile, self.reconcile_silence);
        lately(&self.lease, LEASE_SILENCE) && reconciles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_that_has_stacks_and_reconciles_none_is_not_alive() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        let health = Health::new(clock.clone(), Duration::from_mins(5), Duration::from_mins(5));
        health.reconciled();
        clock.advance(time::Duration::minutes(16));
        health.asked_for_the_lease();
        assert!(!health.is_alive());
        health.reconciled();
        assert!(health.is_alive());
    }

    #[test]
    fn an_operator_whose_only_stack_fails_waits_for_its_next_try_and_is_alive() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        for (resync, backoff) in [(1, 5), (5, 5), (5, 15)] {
            let health = Health::new(clock.clone(), Duration::from_mins(resync), Duration::from_mins(backoff));
            health.reconciled();
            clock.advance(time::Duration::minutes(i64::try_from(2 * backoff).unwrap()));
            health.asked_for_the_lease();
            assert!(health.is_alive(), "resync {resync}, backoff {backoff}");
        }
    }

    #[test]
    fn an_operator_without_stacks_is_alive_while_it_asks_for_its_lease() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        let health = Health::new(clock.clone(), Duration::from_mins(5), Duration::from_mins(5));
        clock.advance(time::Duration::hours(1));
        assert!(!health.is_alive());
        health.asked_for_the_lease();
        assert!(health.is_alive());
    }
}
