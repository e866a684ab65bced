//! Card testing: whoever has many card numbers and does not know which are good tries them one after the other, on order
//! after order, until the provider closes the shop's account. So there is an end to what one customer may have declined.
//!
//! All declines count, over all payments of the customer, for an hour from when they became known, and so does every attempt
//! that is still open, as it may be declined yet. When there are as many as may be, no method is tried, a good one neither:
//!
//! - Who asks to pay is told to come back later. That is exact: attempts that customers ask for begin one after the other.
//! - A method that came with an order has nobody who could be told so: the payment fails as by a decline, and order gives the
//!   stock back. Here only declines that are known count, or else a customer whose many orders come at once would lose the
//!   last of them; so a few more may be declined, at most as many as the replicas are at work on at that moment.

use time::{Duration, OffsetDateTime};

/// As many methods of a customer may be declined within [`WINDOW`].
pub(crate) const MOST_DECLINES: i64 = 20;

/// How long a decline counts.
pub(crate) const WINDOW: Duration = Duration::HOUR;

/// What order is told of a payment whose method was not tried, as the code of a decline.
pub(crate) const CODE: &str = "too_many_declines";

/// Why no attempt begins for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many methods of this customer were declined")]
pub(crate) struct TooManyDeclines {
    /// Whole seconds until one may.
    pub(crate) retry_after: u64,
}

impl TooManyDeclines {
    /// `oldest` is when the oldest of the last [`MOST_DECLINES`] was declined. Without one, or when it counts no more, attempts
    /// that are still open take the places of the rest: each of them may end in a moment, and well.
    pub(crate) fn new(oldest: Option<OffsetDateTime>, now: OffsetDateTime) -> Self {
        let left = oldest.map_or(Duration::ZERO, |oldest| oldest + WINDOW - now);
        // Up to the next whole second: who comes back then is not too early.
        let seconds = (left + Duration::SECOND - Duration::NANOSECOND).whole_seconds();
        Self { retry_after: u64::try_from(seconds).unwrap_or_default().max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_when_told_to_is_not_too_early() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for (declined, retry_after) in [
            (now, 3_600),
            (now - Duration::MICROSECOND, 3_600),
            (now - Duration::SECOND, 3_599),
            (now - Duration::minutes(59), 60),
            (now - WINDOW + Duration::MICROSECOND, 1),
            (now - WINDOW, 1),
            (now - WINDOW * 2, 1),
        ] {
            assert_eq!(TooManyDeclines::new(Some(declined), now), TooManyDeclines { retry_after }, "{declined}");
        }
    }

    #[test]
    fn who_waits_for_open_attempts_alone_comes_back_soon() {
        assert_eq!(TooManyDeclines::new(None, OffsetDateTime::UNIX_EPOCH).retry_after, 1);
    }
}
