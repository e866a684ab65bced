//! Calls the provider for what waits, the oldest first; says that this process lives, and takes over what the dead have left.

use std::time::{Duration, Instant};

use ecommerce_postgres::Unreadable;
use ecommerce_postgres::low_end::{RECENT, WHOLE};
use ecommerce_runtime::Shutdown;
use ecommerce_types::first_id_at;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::{Attempts, InHand, Known, Waiting};
use crate::store::attempts::Found;
use crate::store::{holders, open_attempts};

/// How often it looks for what others have left.
const LOOK: Duration = Duration::from_secs(1);
/// How often it looks for what it has written itself without being told.
const REMEMBER: Duration = Duration::from_secs(5);
/// So long after it was written, whoever wrote an attempt has been told that it is committed. It may not have been, as when the
/// connection broke in that moment, and then nobody is at it.
const UNTOLD: time::Duration = time::Duration::seconds(15);
/// The most attempts that one statement takes over.
const PAGE: i64 = 500;

/// The calls to the provider.
#[derive(Debug, Default)]
struct Calls {
    charges: JoinSet<()>,
    refunds: JoinSet<()>,
}

impl Calls {
    /// Begins with as many as may be called at once. A quarter is kept from charges: money goes back however much there is to charge.
    fn begin(&mut self, attempts: &Attempts) {
        let (most, most_charges) = (attempts.most_calls, attempts.most_calls - attempts.most_calls / 4);
        while self.charges.len() < most_charges && self.running() < most {
            let Some(waiting) = attempts.queue.pop_charge() else { break };
            let in_hand = attempts.queue.hold(&waiting.attempt);
            self.charges.spawn(call(attempts.clone(), waiting, in_hand));
        }
        while self.running() < most {
            let Some(waiting) = attempts.queue.pop_refund() else { break };
            let in_hand = attempts.queue.hold(&waiting.attempt);
            self.refunds.spawn(call(attempts.clone(), waiting, in_hand));
        }
    }

    fn running(&self) -> usize {
        self.charges.len() + self.refunds.len()
    }
}

/// What earlier looks have seen.
#[derive(Debug, Default)]
struct Seen {
    /// Before it, no attempt was open. What has ended is not gone while a snapshot is held (a dump), and would be walked over each time.
    oldest: Uuid,
    /// When a look last began at the very beginning all the same.
    whole_since: Option<Instant>,
    unreadable: Unreadable,
}

impl Seen {
    /// With which attempt the next look begins.
    fn begin(&mut self) -> Uuid {
        if self.whole_since.is_none_or(|since| since.elapsed() >= WHOLE) {
            self.whole_since = Some(Instant::now());
            self.oldest = Uuid::nil();
        }
        self.oldest
    }
}

/// Runs until the process stops; then ends what it has begun and leaves the rest to the other replicas.
pub(crate) async fn run(attempts: Attempts, shutdown: Shutdown) {
    let mut calls = Calls::default();
    let mut lives_until = None;
    let mut seen = Seen::default();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut remember = tokio::time::interval(REMEMBER);
    remember.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.stopped() => break,
            _ = look.tick() => {
                if let Err(error) = look_around(&attempts, &mut lives_until, &mut seen).await {
                    tracing::warn!(%error, "unable to look for open attempts; it is tried again");
                }
            }
            _ = remember.tick() => {
                if let Err(error) = remember_forgotten(&attempts, &mut seen).await {
                    tracing::warn!(%error, "unable to look for attempts that were written untold; it is tried again");
                }
            }
            () = attempts.queue.pushed() => {}
            Some(_) = calls.charges.join_next() => {}
            Some(_) = calls.refunds.join_next() => {}
        }
        calls.begin(&attempts);
    }
    while calls.charges.join_next().await.is_some() {}
    while calls.refunds.join_next().await.is_some() {}
    let leave = async |connection: &mut PgConnection| holders::leave(connection, attempts.holder).await;
    if let Err(error) = attempts.pool.run(leave).await {
        tracing::warn!(%error, "unable to leave open attempts to the other replicas; they wait for the end of the hold");
    }
}

async fn look_around(
    attempts: &Attempts,
    lives_until: &mut Option<OffsetDateTime>,
    seen: &mut Seen,
) -> Result<(), sqlx::Error> {
    let now = attempts.clock.now();
    if lives_until.is_none_or(|until| until < now + attempts.hold_time * 3 / 4) {
        let until = now + attempts.hold_time;
        let live = async |connection: &mut PgConnection| holders::live(connection, attempts.holder, until, now).await;
        attempts.pool.run(live).await?;
        *lives_until = Some(until);
    }
    attempts.queue.try_again();
    let from = seen.begin();
    let unreadable = &mut seen.unreadable;
    loop {
        let limit = PAGE.min(i64::try_from(attempts.queue.room()).unwrap_or(PAGE));
        let take_over = async |connection: &mut PgConnection| {
            open_attempts::take_over(connection, attempts.holder, from, unreadable.ids(), now, limit).await
        };
        let taken = attempts.pool.run(take_over).await?;
        let is_last = i64::try_from(taken.len()).is_ok_and(|taken| taken < PAGE);
        let is_news = unreadable.remember(taken.unreadable.into_iter().map(|key| key.0));
        attempts.queue.push(taken.attempts.into_iter().map(|attempt| (attempt, Known::Nothing)));
        if is_last || !is_news {
            return Ok(());
        }
    }
}

/// Puts in line what this process holds and knows nothing of.
async fn remember_forgotten(attempts: &Attempts, seen: &mut Seen) -> Result<(), sqlx::Error> {
    let now = attempts.clock.now();
    let from = seen.begin();
    let find = async |connection: &mut PgConnection| {
        let oldest = open_attempts::find_oldest(connection, from).await?;
        let own = open_attempts::find_own(connection, attempts.holder, from, now - UNTOLD).await?;
        let forgotten = attempts.queue.forgotten(own);
        let found = if forgotten.is_empty() {
            Found::default()
        } else {
            open_attempts::find_open(connection, attempts.holder, &forgotten).await?
        };
        Ok::<_, sqlx::Error>((oldest, found))
    };
    let (oldest, found) = attempts.pool.run(find).await?;
    let recent = first_id_at(now - RECENT);
    seen.oldest = oldest.map_or(recent, |oldest| oldest.min(recent));
    seen.unreadable.remember(found.unreadable.into_iter().map(|key| key.0));
    if !found.attempts.is_empty() {
        attempts.queue.push(found.attempts.into_iter().map(|attempt| (attempt, Known::Nothing)));
    }
    Ok(())
}

async fn call(attempts: Attempts, waiting: Waiting, in_hand: InHand) {
    match attempts.call(&waiting).await {
        Ok(_) => in_hand.over(),
        Err(error) => {
            tracing::warn!(attempt.id = %waiting.attempt.key, %error, "unable to let go of an attempt; it will be looked up");
        }
    }
}
