//! Charges that the provider has promised never to make, and what if it makes one all the same.
//!
//! A charge that has become pointless is voided: the provider promises that a request still on its way will do nothing. Not every
//! provider keeps that without exception: it may capture late what was under way at its bank, and say so to nobody. So each such
//! charge is looked up once more, and never charged: when the time to pay is over, and everything that was on its way has arrived.
//!
//! What was captured late always goes back, all of it, whatever has become of its payment. Another charge may have paid that,
//! and then the order needs no second. If none has, the order was not paid by `pay_by`, and order ends it by its own clock:
//! whoever came now would pay for nothing. Nor is it the payment's money: its figures tell of the sale alone, and order is not told.

use time::{Duration, OffsetDateTime};

/// A request is on its way for a minute at the most (the largest `PAYMENT_PROVIDER_TIMEOUT_MILLISECONDS`), and the clocks of two
/// replicas differ by ten seconds. As much again is the provider's.
const MARGIN: Duration = Duration::minutes(2);

/// When a charge that was voided at `now` is looked up once more. Nothing is charged after `pay_by`; a charge that was voided for
/// that very reason may have been sent before.
#[must_use]
pub(crate) fn look_up_at(pay_by: OffsetDateTime, now: OffsetDateTime) -> OffsetDateTime {
    pay_by.max(now) + MARGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_voided_is_looked_up_when_nothing_can_be_charged_or_on_its_way_any_more() {
        let now = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(look_up_at(now + Duration::HOUR, now), now + Duration::HOUR + MARGIN);
        assert_eq!(look_up_at(now - Duration::HOUR, now), now + MARGIN);
    }
}
