//! Which orders a list is to hold.

use ecommerce_types::{OrderId, UserId, first_id_at};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Order, Status};

/// What all orders of a list have in common; each that is absent is anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Whose they are.
    pub(crate) customer: Option<UserId>,
    /// Where they stand.
    pub(crate) status: Option<Status>,
    /// They were placed at this time or later.
    pub(crate) placed_after: Option<OffsetDateTime>,
    /// They were placed before this time.
    pub(crate) placed_before: Option<OffsetDateTime>,
}

impl Filter {
    /// Whether an order is among them.
    #[must_use]
    pub(crate) fn admits(&self, order: &Order) -> bool {
        self.customer.is_none_or(|customer| order.customer_id == customer)
            && self.status.is_none_or(|status| order.status == status)
            && self.placed_after.is_none_or(|after| order.created_at >= after)
            && self.placed_before.is_none_or(|before| order.created_at < before)
    }

    /// The smallest id that one of them may have, and one that is larger than all of theirs. An id tells the millisecond of the placing,
    /// so that within those at either end [`Self::admits`] has the last word.
    #[must_use]
    pub(crate) fn ids(&self) -> (OrderId, OrderId) {
        let first = self.placed_after.map_or(Uuid::nil(), first_id_at);
        let end = self.placed_before.map_or(Uuid::max(), |before| first_id_at(next_millisecond(before)));
        (OrderId(first), OrderId(end))
    }
}

/// The beginning of the first millisecond that does not begin before this time.
fn next_millisecond(at: OffsetDateTime) -> OffsetDateTime {
    at.saturating_add(Duration::nanoseconds(999_999))
}

#[cfg(test)]
mod tests {
    use ecommerce_types::{Clock, Money, new_id_at};

    use super::*;

    fn placed_at(at: OffsetDateTime) -> Order {
        Order {
            id: OrderId(new_id_at(at)),
            customer_id: UserId::new(&Clock::system()),
            status: Status::Pending,
            version: 1,
            lines: Vec::new(),
            total: Money::new(1, "EUR".parse().unwrap()).unwrap(),
            payment_method: None,
            payment_id: None,
            pay_by: at,
            amount_refunded: 0,
            reason: None,
            metadata: crate::domain::Metadata::default(),
            created_at: at,
            updated_at: at,
        }
    }

    /// Whatever a filter admits lies between its ids; with bounds of whole milliseconds, nothing else does.
    #[test]
    fn the_ids_hold_whatever_was_placed_in_time() {
        let began = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let moments = || (0..5_000).step_by(250).map(|microseconds| began + Duration::microseconds(microseconds));
        for (after, before) in moments().flat_map(|after| moments().map(move |before| (after, before))) {
            let filter = Filter { placed_after: Some(after), placed_before: Some(before), ..Filter::default() };
            let (first, end) = filter.ids();
            let whole = [after, before].iter().all(|bound| bound.nanosecond() % 1_000_000 == 0);
            for order in moments().map(placed_at) {
                let between = (first..end).contains(&order.id);
                assert!(between || !filter.admits(&order), "{after} {before} {}", order.created_at);
                assert!(!whole || between == filter.admits(&order), "{after} {before} {}", order.created_at);
            }
        }
    }

    #[test]
    fn bounds_at_the_ends_of_time_are_bounds() {
        let order = placed_at(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let [earliest, latest] = [time::Date::MIN, time::Date::MAX].map(|date| date.midnight().assume_utc());
        let filter = Filter { placed_after: Some(earliest), placed_before: Some(latest), ..Filter::default() };
        let (first, end) = filter.ids();
        assert!(filter.admits(&order) && (first..end).contains(&order.id));
    }
}
