//! How far a process has heard its queue: for whoever decides by what has not come.

use std::time::Instant;

use time::OffsetDateTime;
use tokio::sync::watch;

/// What is known of a queue. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Hearing(watch::Sender<Heard>);

/// How far a process has heard its queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// What was in the queue by then has had its effect, but for what another replica has in hand and what can not be handled although
    /// others are; none before the queue was first seen empty.
    pub until: Option<OffsetDateTime>,
    /// Since when the broker has been there without a break; none while it is away.
    pub connected_since: Option<Instant>,
}

impl Hearing {
    /// What is known at this moment.
    #[must_use]
    pub fn heard(&self) -> Heard {
        *self.0.borrow()
    }

    /// All that was in the queue by then has been handled.
    pub fn heard_until(&self, until: OffsetDateTime) {
        self.0.send_modify(|heard| heard.until = heard.until.max(Some(until)));
    }

    /// The broker is there, until what is answered is dropped.
    #[must_use]
    pub(crate) fn connected(&self) -> Connected<'_> {
        self.0.send_modify(|heard| heard.connected_since = Some(Instant::now()));
        Connected(self)
    }
}

/// A connection on which the queue is heard.
pub(crate) struct Connected<'h>(&'h Hearing);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|heard| heard.connected_since = None);
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn what_was_heard_stays_heard_and_a_lost_connection_is_none() {
        let (hearing, at) = (Hearing::default(), OffsetDateTime::UNIX_EPOCH);
        assert_eq!(hearing.heard(), Heard::default());
        let connected = hearing.connected();
        hearing.heard_until(at);
        hearing.heard_until(at - Duration::SECOND);
        assert!(hearing.heard().connected_since.is_some());
        drop(connected);
        assert_eq!(hearing.heard(), Heard { until: Some(at), connected_since: None });
    }
}
