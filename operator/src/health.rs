//! Whether the operator still does its work: a process that answers while its watches hang is not alive.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use ecommerce_types::Clock;
use time::OffsetDateTime;

use crate::reconcile::RESYNC;

/// Renewals of the Lease come every few seconds, whether this process leads or waits.
const LEASE_SILENCE: Duration = Duration::from_mins(1);
/// Each stack is reconciled at least every [`RESYNC`].
const RECONCILE_SILENCE: Duration = RESYNC.saturating_mul(3);

/// When the operator last did what it is there for.
#[derive(Debug)]
pub struct Health {
    clock: Clock,
    lease: AtomicI64,
    reconcile: AtomicI64,
    has_stacks: AtomicBool,
}

impl Health {
    /// Alive as of now.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let now = clock.now().unix_timestamp();
        Self { clock, lease: now.into(), reconcile: now.into(), has_stacks: false.into() }
    }

    /// The API server answered when the Lease was asked for.
    pub fn lease_answered(&self) {
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
        let reconciles = !self.has_stacks.load(Ordering::Relaxed) || lately(&self.reconcile, RECONCILE_SILENCE);
        lately(&self.lease, LEASE_SILENCE) && reconciles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_that_has_stacks_and_reconciles_none_is_not_alive() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        let health = Health::new(clock.clone());
        health.reconciled();
        clock.advance(time::Duration::minutes(16));
        health.lease_answered();
        assert!(!health.is_alive());
        health.reconciled();
        assert!(health.is_alive());
    }

    #[test]
    fn an_operator_without_stacks_is_alive_while_its_lease_is_answered() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        let health = Health::new(clock.clone());
        clock.advance(time::Duration::hours(1));
        assert!(!health.is_alive());
        health.lease_answered();
        assert!(health.is_alive());
    }
}
