//! Rows that a version of a service cannot read and leaves to the one that wrote them.

use std::time::{Duration, Instant};

use uuid::Uuid;

/// The most that are remembered. Where there are more, a person has to look, and meanwhile they are found again each time.
const MOST: usize = 1_000;
/// After this all are looked at once more: another version may have changed them, and whoever reads the log is reminded.
const REMEMBERED: Duration = Duration::from_mins(10);

/// The ids of such rows, which are passed over for a while.
#[derive(Debug, Default)]
pub struct Unreadable {
    ids: Vec<Uuid>,
    since: Option<Instant>,
}

impl Unreadable {
    /// Those to pass over now.
    pub fn ids(&mut self) -> &[Uuid] {
        if self.since.is_some_and(|since| since.elapsed() >= REMEMBERED) {
            *self = Self::default();
        }
        &self.ids
    }

    /// Remembers more of them. False where there is no room: they would be found again at once.
    pub fn remember(&mut self, ids: impl IntoIterator<Item = Uuid>) -> bool {
        for id in ids {
            if self.ids.len() == MOST {
                return false;
            }
            self.since.get_or_insert_with(Instant::now);
            self.ids.push(id);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: usize) -> Vec<Uuid> {
        (0..count).map(|number| Uuid::from_u128(number as u128)).collect()
    }

    #[test]
    fn those_that_did_not_read_are_passed_over() {
        let mut unreadable = Unreadable::default();
        assert!(unreadable.remember(ids(2)));
        assert_eq!(unreadable.ids(), ids(2));
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for_and_whoever_looks_is_told() {
        let mut unreadable = Unreadable::default();
        assert!(unreadable.remember(ids(MOST)));
        assert!(!unreadable.remember([Uuid::from_u128(1 << 64)]));
        assert_eq!(unreadable.ids().len(), MOST);
    }

    #[test]
    fn after_a_while_all_are_looked_at_once_more() {
        let mut unreadable = Unreadable::default();
        unreadable.remember(ids(MOST));
        unreadable.since = Instant::now().checked_sub(REMEMBERED);
        assert!(unreadable.ids().is_empty());
        assert!(unreadable.remember(ids(1)));
    }
}
