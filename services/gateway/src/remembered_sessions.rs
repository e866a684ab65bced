//! Whether a token's session still stands: Redis knows, and what it said is remembered for a moment, beside the token.
//!
//! An answer is good for [`FRESH`]. While Redis is away, or not to be believed ([`Fence`]), the last one stands for [`STANDS`],
//! so that a restart of Redis logs nobody out, and a longer absence lets nobody in whose session may have ended.

use std::time::Duration;

use ecommerce_redis::{Session, Sessions};
use ecommerce_types::{Clock, SessionId};
use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::fence::{Fence, Stand};
use crate::metrics::SESSION_LOOKUPS;

/// How long an answer is not asked for again, and so how long an ended session may still pass.
pub(crate) const FRESH: Duration = Duration::from_secs(1);
/// How long the last answer stands while there is no new one.
pub(crate) const STANDS: Duration = Duration::from_mins(1);

/// Redis is away, and there is no answer that still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session is unable to be looked up")]
pub(crate) struct Unavailable;

/// A session, as far as it is remembered.
#[derive(Debug, Default)]
pub(crate) struct RememberedSession {
    last: RwLock<Option<Remembered>>,
    /// Locked while Redis is asked, so that one asks for all.
    asking: Mutex<()>,
}

/// What is remembered: also a failure, so that Redis is not asked for it more often than with an answer. Times are the
/// clock's monotonic one: a date that is set back must not make an answer young.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    asked_at: Duration,
    /// How the fence stood before the question.
    stand: Stand,
    /// The last answer and its time; `None` within when the session has ended.
    answer: Option<(Duration, Option<Session>)>,
}

impl RememberedSession {
    /// The session; `None` when it has ended. Many that ask for one at once cause one look-up.
    pub(crate) async fn get(
        &self,
        id: SessionId,
        sessions: &Sessions,
        fence: &Fence,
        clock: &Clock,
    ) -> Result<Option<Session>, Unavailable> {
        let now = clock.monotonic();
        if let Some(fresh) = self.fresh(now, fence) {
            return fresh.answer(now);
        }
        let _one = self.asking.lock().await;
        // Whoever waited for another's look-up finds its outcome here.
        if let Some(fresh) = self.fresh(now, fence) {
            return fresh.answer(now);
        }
        let before = *self.last.read();
        let remembered = ask(id, sessions, fence, clock, before).await;
        *self.last.write() = Some(remembered);
        remembered.answer(now)
    }

    fn fresh(&self, now: Duration, fence: &Fence) -> Option<Remembered> {
        let is_fresh = |remembered: &Remembered| {
            remembered.stand == fence.stand() && now.saturating_sub(remembered.asked_at) < FRESH
        };
        self.last.read().filter(is_fresh)
    }
}

async fn ask(
    id: SessionId,
    sessions: &Sessions,
    fence: &Fence,
    clock: &Clock,
    before: Option<Remembered>,
) -> Remembered {
    // The time before the question: an ending after it may not show in the answer.
    let (asked_at, stand) = (clock.monotonic(), fence.stand());
    let last = before.and_then(|remembered| remembered.answer);
    let answer = match sessions.get(id).await {
        // What was answered over a change of runs may be of either.
        Ok(session) if stand == fence.stand() && is_believed(session, stand, last) => {
            SESSION_LOOKUPS.increment(["answered"]);
            Some((asked_at, session))
        }
        Ok(_) => {
            SESSION_LOOKUPS.increment(["not_believed"]);
            last
        }
        Err(error) => {
            tracing::debug!(%error, "unable to look a session up");
            SESSION_LOOKUPS.increment(["failed"]);
            last
        }
    };
    Remembered { asked_at, stand, answer }
}

/// Behind a closed fence what shuts somebody out is believed, and what lets somebody in is not.
fn is_believed(session: Option<Session>, stand: Stand, last: Option<(Duration, Option<Session>)>) -> bool {
    let Some(session) = session else { return true };
    let has_newer_roles = || matches!(last, Some((_, Some(last))) if session.roles_version > last.roles_version);
    stand.is_open() || has_newer_roles()
}

impl Remembered {
    fn answer(&self, now: Duration) -> Result<Option<Session>, Unavailable> {
        let standing = self.answer.filter(|(answered_at, _)| now.saturating_sub(*answered_at) <= STANDS);
        standing.map(|(_, session)| session).ok_or(Unavailable)
    }
}
