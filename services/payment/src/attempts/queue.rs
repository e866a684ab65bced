//! The attempts of this process that wait for a call to the provider, the oldest first.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use ecommerce_types::PaymentId;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::domain::{Attempt, AttemptId, Kind};

/// As many may wait until whoever writes more of them has to wait, too: the rest stays with the broker, in its sequence.
const ROOM: usize = 10_000;

/// What is known of an attempt before it is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nobody has called the provider, and a moment ago nothing spoke against it.
    Sound,
    /// Nobody has called the provider.
    Unsent,
    /// The provider may have been called: it is looked up first.
    Nothing,
}

/// An attempt that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) attempt: Attempt,
    pub(crate) known: Known,
    pub(crate) since: Instant,
}

/// An attempt that is being called; dropped before it is [over](Self::over), it is tried again in a moment.
#[derive(Debug)]
pub(crate) struct InHand {
    key: AttemptId,
    /// Until it is over.
    attempt: Option<Attempt>,
    queue: Queue,
}

impl InHand {
    /// Its row says that it has ended, or that anybody may look it up.
    pub(crate) fn over(mut self) {
        self.attempt = None;
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.queue.0.failed.lock().extend(self.attempt.take());
        self.queue.0.in_hand.lock().remove(&self.key);
    }
}

/// What waits. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Lines>,
    /// What is being called.
    in_hand: Mutex<HashSet<AttemptId>>,
    /// What could neither be ended nor let go of.
    failed: Mutex<Vec<Attempt>>,
    /// Something has come.
    pushed: Notify,
    /// Something has been taken.
    taken: Notify,
}

/// In line, by the age of the payment: an attempt that was let go of does not fall behind those of younger orders.
type Place = (PaymentId, AttemptId);

#[derive(Debug, Default)]
struct Lines {
    charges: BTreeMap<Place, Waiting>,
    refunds: BTreeMap<Place, Waiting>,
}

impl Queue {
    /// Adds attempts whose rows are committed with this process as their holder.
    pub(crate) fn push(&self, attempts: impl IntoIterator<Item = (Attempt, Known)>) {
        let since = Instant::now();
        let mut lines = self.lines();
        for (attempt, known) in attempts {
            let line = match attempt.kind {
                Kind::Charge { .. } => &mut lines.charges,
                Kind::Refund { .. } => &mut lines.refunds,
            };
            line.insert((attempt.payment_id, attempt.key), Waiting { attempt, known, since });
        }
        drop(lines);
        self.0.pushed.notify_one();
    }

    /// The oldest charge that waits.
    pub(crate) fn pop_charge(&self) -> Option<Waiting> {
        self.taken(self.lines().charges.pop_first())
    }

    /// The oldest refund that waits.
    pub(crate) fn pop_refund(&self) -> Option<Waiting> {
        self.taken(self.lines().refunds.pop_first())
    }

    /// Holds an attempt that is being called, so that it is tried again if its call goes away in the middle.
    #[must_use]
    pub(crate) fn hold(&self, attempt: &Attempt) -> InHand {
        self.0.in_hand.lock().insert(attempt.key);
        InHand { key: attempt.key, attempt: Some(attempt.clone()), queue: self.clone() }
    }

    /// Those of these attempts that neither wait nor are being called: their rows are committed, and whoever wrote them was not told.
    pub(crate) fn forgotten(&self, attempts: Vec<AttemptId>) -> Vec<AttemptId> {
        let (lines, in_hand, failed) = (self.lines(), self.0.in_hand.lock(), self.0.failed.lock());
        let waiting = lines.charges.keys().chain(lines.refunds.keys()).map(|(_, key)| *key);
        let known: HashSet<AttemptId> =
            waiting.chain(in_hand.iter().copied()).chain(failed.iter().map(|failed| failed.key)).collect();
        attempts.into_iter().filter(|attempt| !known.contains(attempt)).collect()
    }

    /// Puts what has failed in line again.
    pub(crate) fn try_again(&self) {
        let failed = std::mem::take(&mut *self.0.failed.lock());
        if !failed.is_empty() {
            self.push(failed.into_iter().map(|attempt| (attempt, Known::Nothing)));
        }
    }

    /// How many more may come.
    pub(crate) fn room(&self) -> usize {
        let lines = self.lines();
        ROOM.saturating_sub(lines.charges.len() + lines.refunds.len())
    }

    /// Resolves when something has come since it was last asked.
    pub(crate) async fn pushed(&self) {
        self.0.pushed.notified().await;
    }

    /// Resolves when there is room.
    pub(crate) async fn has_room(&self) {
        while self.room() == 0 {
            self.0.taken.notified().await;
        }
    }

    fn taken(&self, waiting: Option<(Place, Waiting)>) -> Option<Waiting> {
        let (_, waiting) = waiting?;
        self.0.taken.notify_one();
        Some(waiting)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock()
    }
}

#[cfg(test)]
mod tests {
    use ecommerce_types::{Clock, Money, UserId};

    use super::*;
    use crate::domain::Origin;

    fn charge(clock: &Clock) -> Attempt {
        Attempt {
            key: AttemptId(clock.new_id()),
            payment_id: PaymentId::new(clock),
            customer_id: UserId::new(clock),
            amount: Money::new(1, "EUR".parse().unwrap()).unwrap(),
            kind: Kind::Charge { method: "tok_success".to_owned(), origin: Origin::Order },
            request_id: None,
        }
    }

    #[test]
    fn the_oldest_comes_first_whenever_it_came() {
        let clock = Clock::manual(time::OffsetDateTime::UNIX_EPOCH);
        let old = charge(&clock);
        clock.advance(time::Duration::SECOND);
        let young = charge(&clock);
        let queue = Queue::default();
        queue.push([(young.clone(), Known::Sound)]);
        queue.push([(old.clone(), Known::Nothing)]);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop_charge()).map(|waiting| waiting.attempt.key).collect();
        assert_eq!(order, [old.key, young.key]);
    }

    #[test]
    fn what_failed_or_was_dropped_is_tried_again_and_what_is_over_is_not() {
        let clock = Clock::system();
        let (over, dropped) = (charge(&clock), charge(&clock));
        let queue = Queue::default();
        queue.hold(&over).over();
        drop(queue.hold(&dropped));
        assert!(queue.pop_charge().is_none(), "not before it is due");
        queue.try_again();
        assert_eq!(queue.forgotten(vec![over.key, dropped.key]), [over.key], "what waits is known");
        let again = queue.pop_charge().unwrap();
        assert_eq!((again.attempt.key, again.known), (dropped.key, Known::Nothing));
        assert!(queue.pop_charge().is_none());
    }

    #[tokio::test]
    async fn who_writes_more_than_there_is_room_for_waits_until_something_is_taken() {
        let clock = Clock::system();
        let queue = Queue::default();
        queue.push((0..ROOM).map(|_| (charge(&clock), Known::Sound)));
        assert_eq!(queue.room(), 0);
        let ((), oldest) = tokio::join!(biased; queue.has_room(), async { queue.pop_charge() });
        assert!(oldest.is_some());
    }
}
