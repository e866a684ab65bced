//! Whether a token's session still stands: Redis knows, and what it said is remembered for a moment.
//!
//! An answer is good for [`FRESH`]. While Redis is away the last one stands for [`STANDS`], so that a restart of Redis logs
//! nobody out, and a longer absence lets nobody in whose session may have ended.

use ecommerce_redis::{Session, Sessions};
use ecommerce_types::{Clock, SessionId};
use moka::future::Cache;
use moka::ops::compute::{CompResult, Op};
use time::{Duration, OffsetDateTime};

/// How long an answer is not asked for again, and so how long an ended session may still pass.
pub const FRESH: Duration = Duration::seconds(1);
/// How long the last answer stands while there is no new one.
pub const STANDS: Duration = Duration::seconds(60);
/// Sessions that are remembered; what goes beyond is asked for each time.
const REMEMBERED: u64 = 10_000;

/// Redis is away, and there is no answer that still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session is unable to be looked up")]
pub struct Unavailable;

/// The sessions, as far as this process remembers them.
#[derive(Clone)]
pub struct RememberedSessions {
    sessions: Sessions,
    remembered: Cache<SessionId, Remembered>,
    clock: Clock,
}

/// What is remembered of one session: also a failure, so that Redis is not asked for it more often than with an answer.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    asked_at: OffsetDateTime,
    /// The last answer and its time; `None` within when the session has ended.
    answer: Option<(OffsetDateTime, Option<Session>)>,
}

impl RememberedSessions {
    /// Nothing is remembered yet.
    #[must_use]
    pub fn new(sessions: Sessions, clock: Clock) -> Self {
        let lifetime = std::time::Duration::from_secs(STANDS.whole_seconds().unsigned_abs());
        let remembered = Cache::builder().max_capacity(REMEMBERED).time_to_live(lifetime).build();
        Self { sessions, remembered, clock }
    }

    /// The session; `None` when it has ended. Many that ask for one at once cause one look-up.
    pub async fn get(&self, id: SessionId) -> Result<Option<Session>, Unavailable> {
        let now = self.clock.now();
        if let Some(remembered) = self.remembered.get(&id).await
            && remembered.is_fresh(now)
        {
            return remembered.answer(now);
        }
        let outcome = self.remembered.entry(id).and_compute_with(|entry| async move {
            // Whoever waited for another's look-up finds its outcome here.
            let before = entry.map(moka::Entry::into_value);
            if before.is_some_and(|remembered| remembered.is_fresh(now)) {
                Op::Nop
            } else {
                Op::Put(self.ask(id, before).await)
            }
        });
        match outcome.await {
            CompResult::Inserted(entry) | CompResult::ReplacedWith(entry) | CompResult::Unchanged(entry) => {
                entry.into_value().answer(now)
            }
            CompResult::StillNone(_) | CompResult::Removed(_) => Err(Unavailable),
        }
    }

    async fn ask(&self, id: SessionId, before: Option<Remembered>) -> Remembered {
        // The time before the question: an ending after it may not show in the answer.
        let asked_at = self.clock.now();
        let (answer, outcome) = match self.sessions.get(id).await {
            Ok(session) => (Some((asked_at, session)), "answered"),
            Err(error) => {
                tracing::debug!(%error, "unable to look a session up");
                (before.and_then(|remembered| remembered.answer), "failed")
            }
        };
        metrics::counter!("session_lookups_total", "outcome" => outcome).increment(1);
        Remembered { asked_at, answer }
    }
}

impl Remembered {
    fn is_fresh(&self, now: OffsetDateTime) -> bool {
        now - self.asked_at < FRESH
    }

    fn answer(&self, now: OffsetDateTime) -> Result<Option<Session>, Unavailable> {
        let standing = self.answer.filter(|(answered_at, _)| now - *answered_at <= STANDS);
        standing.map(|(_, session)| session).ok_or(Unavailable)
    }
}
