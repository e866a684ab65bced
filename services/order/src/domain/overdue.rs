//! Which orders nobody has paid in time.
//!
//! Whether the money of one has come is known only once everything was heard that was told of it until then: payment charges until the
//! deadline, tells a moment later, and order may have been away. So an order whose money was asked for is ended some time after its
//! deadline, and not before the queue was heard up to there. Without a broker it stays: nobody could be told of its end.

use time::{Duration, OffsetDateTime};

use super::Status;

/// Where the queue can not be heard to its end although events are handled, after so long orders are ended all the same.
const PATIENCE: Duration = Duration::minutes(10);

/// Whose deadlines are over: at this time or before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overdue {
    /// Of orders that wait for their stock.
    pub(crate) pending: OffsetDateTime,
    /// Of orders whose money was asked for.
    pub(crate) awaiting_payment: OffsetDateTime,
}

impl Overdue {
    /// At this time, of orders that have so much grace, after all was heard until then. `works` is for how long events could be handled.
    #[must_use]
    pub(crate) fn at(
        now: OffsetDateTime,
        grace: Duration,
        heard: Option<OffsetDateTime>,
        works: Option<Duration>,
    ) -> Self {
        let heard = heard.map(|until| until.min(now) - grace);
        let has_waited = works.is_some_and(|works| works >= PATIENCE);
        let given_up = has_waited.then(|| now - PATIENCE.max(grace));
        Self { pending: now, awaiting_payment: heard.max(given_up).unwrap_or(OffsetDateTime::UNIX_EPOCH) }
    }

    /// Whether an order that stands there and was to be paid by then is to be ended.
    #[must_use]
    pub(crate) fn includes(self, status: Status, pay_by: OffsetDateTime) -> bool {
        match status {
            Status::Pending => pay_by <= self.pending,
            Status::AwaitingPayment => pay_by <= self.awaiting_payment,
            Status::Paid
            | Status::Fulfilled
            | Status::Rejected
            | Status::Cancelled
            | Status::Expired
            | Status::PaymentFailed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deadlines that are over for so many seconds, and whether an order is ended that waits for its stock, and one for its money.
    #[test]
    fn an_order_that_may_be_paid_is_ended_once_that_was_heard() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let (grace, minute, hour) = (Duration::seconds(15), 60, 3_600);
        // Seconds since it was heard to the end, minutes since events could be handled, seconds over, ended: pending, awaiting.
        for (heard, works, over, pending, awaiting_payment) in [
            (Some(0), Some(0), -1, false, false),
            (Some(0), Some(0), 0, true, false),
            (Some(0), Some(0), 14, true, false),
            (Some(0), Some(0), 15, true, true),
            (Some(30), Some(0), 44, true, false),
            (Some(30), Some(0), 45, true, true),
            (None, Some(9), hour, true, false),
            (None, Some(10), 10 * minute - 1, true, false),
            (None, Some(10), 10 * minute, true, true),
            (Some(hour), Some(10), 10 * minute, true, true),
            (None, None, hour, true, false),
            (Some(hour), None, hour, true, false),
            (Some(hour), None, hour + 15, true, true),
            // The clock was put back since.
            (Some(-30), Some(0), 14, true, false),
        ] {
            let heard = heard.map(|heard| now - Duration::seconds(heard));
            let works = works.map(Duration::minutes);
            let overdue = Overdue::at(now, grace, heard, works);
            let pay_by = now - Duration::seconds(over);
            let is_ended = |status| overdue.includes(status, pay_by);
            let ended = (is_ended(Status::Pending), is_ended(Status::AwaitingPayment));
            assert_eq!(ended, (pending, awaiting_payment), "{heard:?}, {works:?}, {over} s over");
            assert!(!is_ended(Status::Paid));
        }
    }
}
