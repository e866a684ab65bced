//! The attempts that this process is at work on just now.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::domain::Key;

/// Attempts for which a call is running in this process, so that none is begun twice. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct AtWork(Arc<Mutex<HashSet<Uuid>>>);

/// Holds an attempt in [`AtWork`] until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    key: Uuid,
    at_work: AtWork,
}

impl AtWork {
    /// Begins with an attempt; `None` when a call for it is running already.
    pub(crate) fn begin(&self, key: Key) -> Option<Guard> {
        self.keys().insert(key.0).then(|| Guard { key: key.0, at_work: self.clone() })
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<Uuid> {
        self.keys().iter().copied().collect()
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.at_work.keys().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_at_work_once_until_its_guard_is_dropped() {
        let at_work = AtWork::default();
        let key = Key(Uuid::from_u128(1));
        let guard = at_work.begin(key);
        assert!(guard.is_some() && at_work.begin(key).is_none());
        drop(guard);
        assert!(at_work.list().is_empty() && at_work.begin(key).is_some());
    }
}
