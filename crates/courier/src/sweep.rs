//! The net below the relay: what stays in the outbox longer than a moment, whoever left it there.
//!
//! A process that died had it in memory, or the memory had no room, or the broker refused it. A pass goes through the outbox in
//! the sequence of the ids, page by page, past what is refused again. A message that closes the channel (`publish.rs`) is passed over
//! by this process for a while.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ecommerce_postgres::Pool;
use ecommerce_postgres::outbox;
use ecommerce_types::{Clock, first_id_at};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::metrics::OUTBOX_OLDEST;
use crate::publish::{Published, Publisher};

/// The most messages of one page, which is one transaction.
const PAGE: i64 = 200;
/// The ids of events that are being committed are hardly ever older than this, and then a pass that begins at the very beginning finds
/// them: the others begin there. What is deleted below is not gone while a snapshot is held (a dump), and would be walked over each time.
const RECENT: Duration = Duration::from_secs(20);
/// How often a pass begins at the very beginning all the same.
const WHOLE: Duration = Duration::from_mins(1);
/// The most messages that are remembered because they close the channel.
const MOST_PASSED_OVER: usize = 1_000;

/// Where the passes are.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// The last id that this pass has seen; none between two passes.
    after: Option<Uuid>,
    /// Whether this pass has left something where it was.
    left_some: bool,
    /// Whether the pass before has left nothing.
    is_clean: bool,
    /// When a pass last began at the very beginning.
    whole_since: Option<Instant>,
    passed_over: VecDeque<Uuid>,
    /// When those were last tried again.
    forgiven: Option<Instant>,
    /// Before the ids of what waits since the broker takes nothing.
    blocked_since: Option<Uuid>,
}

impl Sweep {
    /// Whether a pass has begun and has not come to its end.
    pub(crate) fn is_under_way(&self) -> bool {
        self.after.is_some()
    }

    /// Sends the next page of a pass, the first one of a new pass if there is none under way.
    ///
    /// # Errors
    /// When the broker fails. The database may fail: the pass is over then, and the next one looks again.
    pub(crate) async fn send_page(
        &mut self,
        pool: &Pool,
        publisher: &mut Publisher,
        clock: &Clock,
    ) -> Result<(), Error> {
        let (after, is_first) = match self.after {
            Some(after) => (after, false),
            None => (self.begin(clock), true),
        };
        let mut page = Page::default();
        match pool
            .transaction(async |transaction: &mut PgConnection| {
                self.claim_and_send(transaction, publisher, after, &mut page).await
            })
            .await
        {
            Ok(()) => {
                if is_first {
                    let oldest = page.claimed.first().into_iter().chain(&self.passed_over).min();
                    OUTBOX_OLDEST.set([], oldest.map_or(0, |oldest| age(*oldest, clock)));
                }
                self.turn(&page);
                if page.refused > 0 && !publisher.is_blocked() {
                    // A queue may have been deleted.
                    publisher.declare_topology().await?;
                }
                Ok(())
            }
            Err(Error::Outbox(error)) => {
                tracing::warn!(%error, "unable to look through the outbox; looking again");
                self.after = None;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Begins the next pass at the very beginning: the broker has taken nothing for a while, and what waits may be older than a recent one.
    pub(crate) fn miss_nothing(&mut self) {
        self.whole_since = None;
    }

    /// Sends nothing, for the broker takes nothing; says how old the oldest is that waits for it.
    pub(crate) async fn look(&mut self, pool: &Pool, clock: &Clock) {
        self.miss_nothing();
        let since = *self.blocked_since.get_or_insert_with(|| first_id_at(clock.now() - RECENT));
        let oldest = pool.transaction(async |transaction: &mut PgConnection| {
            let oldest = outbox::claim(transaction, since, self.passed_over.make_contiguous(), 1).await?;
            Ok::<_, sqlx::Error>(oldest.first().map(|oldest| oldest.id))
        });
        match oldest.await {
            Ok(oldest) => OUTBOX_OLDEST.set([], oldest.map_or(0, |oldest| age(oldest, clock))),
            Err(error) => tracing::warn!(%error, "unable to look through the outbox; looking again"),
        }
    }

    async fn claim_and_send(
        &mut self,
        transaction: &mut PgConnection,
        publisher: &mut Publisher,
        after: Uuid,
        page: &mut Page,
    ) -> Result<(), Error> {
        let messages = outbox::claim(transaction, after, self.passed_over.make_contiguous(), PAGE).await?;
        page.claimed = messages.iter().map(|message| message.id).collect();
        if messages.is_empty() {
            return Ok(());
        }
        let Published { taken, unpublishable, refused } = publisher.publish(&messages).await?;
        self.pass_over(unpublishable);
        page.sent = taken.len();
        page.refused = refused;
        Ok(outbox::remove(transaction, &taken).await?)
    }

    /// For a while, these are not tried again: the broker closes the channel for them.
    pub(crate) fn pass_over(&mut self, unpublishable: impl IntoIterator<Item = Uuid>) {
        for id in unpublishable {
            self.forgiven.get_or_insert_with(Instant::now);
            if self.passed_over.len() == MOST_PASSED_OVER {
                self.passed_over.pop_front();
            }
            self.passed_over.push_back(id);
        }
    }

    fn begin(&mut self, clock: &Clock) -> Uuid {
        self.left_some = false;
        self.blocked_since = None;
        if !self.passed_over.is_empty() && self.forgiven.is_none_or(|since| since.elapsed() >= WHOLE) {
            // A right may have been given meanwhile.
            self.forgiven = None;
            self.passed_over.clear();
        }
        let is_whole = !self.is_clean || self.whole_since.is_none_or(|since| since.elapsed() >= WHOLE);
        let after = if is_whole { Uuid::nil() } else { first_id_at(clock.now() - RECENT) };
        if is_whole {
            self.whole_since = Some(Instant::now());
        }
        self.after = Some(after);
        after
    }

    /// To the next page, or to the end of the pass.
    fn turn(&mut self, page: &Page) {
        self.left_some |= page.left_some();
        self.after = page.claimed.last().copied().filter(|_| page.is_full());
        if self.after.is_none() {
            self.is_clean = !self.left_some && self.passed_over.is_empty();
        }
    }
}

/// What became of one page.
#[derive(Debug, Default)]
struct Page {
    claimed: Vec<Uuid>,
    sent: usize,
    refused: usize,
}

impl Page {
    fn left_some(&self) -> bool {
        self.sent < self.claimed.len()
    }

    fn is_full(&self) -> bool {
        i64::try_from(self.claimed.len()).is_ok_and(|claimed| claimed >= PAGE)
    }
}

/// Whole seconds since an event's id was made.
fn age(id: Uuid, clock: &Clock) -> i64 {
    let made = id.get_timestamp().and_then(|made| i64::try_from(made.to_unix().0).ok());
    made.map_or(0, |made| (clock.now().unix_timestamp() - made).max(0))
}
