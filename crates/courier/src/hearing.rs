//! How far a process has heard its queue: for whoever decides by what has not come.
//!
//! Once a second the broker is asked whether the queue holds more than it has handed out. Where it does not, all that the queue held by then
//! was heard as soon as nothing of it is left to be handled. What the broker hands out may leave it a little after its answer, but not after its
//! next one: so an answer counts when that has come.

use std::future::pending;
use std::time::{Duration, Instant};

use ecommerce_contract::Service;
use ecommerce_types::Clock;
use lapin::Channel;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::connection::ANSWER;
use crate::{Error, topology};

/// How often the broker is asked.
const EVERY: Duration = Duration::from_secs(1);

/// What is known of a queue. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Hearing(watch::Sender<Heard>);

/// How far a process has heard its queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// What was in the queue by then has had its effect, but for what another replica has in hand and what can not be handled although
    /// others are; none before the queue was first seen empty.
    pub until: Option<OffsetDateTime>,
    /// Since when the broker has been there and events could be handled, without a break; none while the broker is away.
    pub works_since: Option<Instant>,
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
        self.works_since(Some(Instant::now()));
        Connected(self)
    }

    /// Nothing can be handled at this moment: what has come is not heard yet, however long the broker has been there.
    pub(crate) fn nothing_works(&self) {
        self.works_since(Some(Instant::now()));
    }

    fn works_since(&self, since: Option<Instant>) {
        self.0.send_modify(|heard| heard.works_since = since);
    }
}

/// When the queue last held nothing that was not handed out, and all of that had come.
pub(crate) type Emptied = Option<OffsetDateTime>;

/// Asks on the channel that the messages come on; ends when the broker owes an answer for too long.
pub(crate) async fn ask_whether_empty(
    channel: &Channel,
    service: Service,
    clock: &Clock,
    emptied: &watch::Sender<Emptied>,
) -> Error {
    let mut look = interval(EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_empty = None;
    loop {
        look.tick().await;
        let asked = clock.now();
        let Ok(answer) = timeout(ANSWER, topology::is_empty(channel, service)).await else {
            return Error::TimedOut;
        };
        let Ok(is_empty) = answer else {
            // The messages end with the channel; whoever handles them knows what becomes of those in hand.
            return pending().await;
        };
        if let Some(at) = was_empty {
            emptied.send_replace(Some(at));
        }
        was_empty = is_empty.then_some(asked);
    }
}

/// A connection on which the queue is heard.
pub(crate) struct Connected<'h>(&'h Hearing);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.works_since(None);
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
        assert!(hearing.heard().works_since.is_some());
        drop(connected);
        assert_eq!(hearing.heard(), Heard { until: Some(at), works_since: None });
    }
}
