//! The attempts that this process is at work on just now, and those that it has begun and knows no end of.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

use super::Past;
use crate::domain::AttemptId;

/// Attempts that this process has begun, so that none is begun twice at once, and none a second time as if it were the first.
/// Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct AtWork(Arc<Mutex<HashMap<Uuid, Call>>>);

/// What has become of an attempt's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Running,
    /// It ended, by an error or a panic, before the database knew of it.
    Lost,
}

/// Holds an attempt in [`AtWork`] until it is dropped, and leaves it there as lost unless it is [over](Self::over).
#[derive(Debug)]
pub(crate) struct Guard {
    key: Uuid,
    /// What is known of the attempt.
    pub(crate) past: Past,
    over: bool,
    at_work: AtWork,
}

impl AtWork {
    /// Begins with an attempt; `None` when a call for it is running already. Whatever its row says of its `past`, of one that was
    /// lost nothing is known.
    pub(crate) fn begin(&self, key: AttemptId, past: Past) -> Option<Guard> {
        let past = match self.calls().insert(key.0, Call::Running) {
            None => past,
            Some(Call::Lost) => Past::Unknown,
            Some(Call::Running) => return None,
        };
        Some(Guard { key: key.0, past, over: false, at_work: self.clone() })
    }

    /// Those with a call that is running.
    pub(crate) fn list(&self) -> Vec<Uuid> {
        self.calls().iter().filter(|(_, call)| **call == Call::Running).map(|(key, _)| *key).collect()
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<Uuid, Call>> {
        self.0.lock()
    }
}

impl Guard {
    /// Forgets the attempt: its row says that it has ended, or that anybody may look it up.
    pub(crate) fn over(mut self) {
        self.over = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.over {
            self.at_work.calls().remove(&self.key);
        } else {
            self.at_work.calls().insert(self.key, Call::Lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_at_work_once_until_its_guard_is_dropped() {
        let at_work = AtWork::default();
        let key = AttemptId(Uuid::from_u128(1));
        let guard = at_work.begin(key, Past::None).unwrap();
        assert!(at_work.begin(key, Past::None).is_none());
        assert_eq!(at_work.list(), [key.0]);
        guard.over();
        assert!(at_work.list().is_empty());
        assert_eq!(at_work.begin(key, Past::None).unwrap().past, Past::None);
    }

    #[test]
    fn of_a_call_that_was_lost_nothing_is_known_until_it_is_over() {
        let at_work = AtWork::default();
        let key = AttemptId(Uuid::from_u128(1));
        drop(at_work.begin(key, Past::None));
        assert!(at_work.list().is_empty());
        let again = at_work.begin(key, Past::None).unwrap();
        assert_eq!(again.past, Past::Unknown);
        again.over();
        assert_eq!(at_work.begin(key, Past::None).unwrap().past, Past::None);
    }
}
