//! Publishes to Redis which sessions have ended.
//!
//! An ending is in PostgreSQL first. Who ends a session publishes that at once; what could not be published then is
//! published from here, as soon as Redis is back. And when it comes back, the endings of late are published once more: it may
//! have lost the last moments before it went (its log is written to disk once a second), or have been put back to an older
//! state.

use std::time::Duration;

use ecommerce_redis::Sessions;
use ecommerce_runtime::{ErrorChain, Notifier, Shutdown};
use ecommerce_types::Clock;
use sqlx::PgPool;
use tokio::time::MissedTickBehavior;

use crate::state::State;
use crate::{Error, store};

/// How often it is looked for endings that another process could not publish.
const LOOK: Duration = Duration::from_secs(5);
/// How far back endings are published once more when Redis comes back.
const OF_LATE: time::Duration = time::Duration::hours(24);
/// Endings in one command.
const AT_ONCE: i64 = 500;

/// What it takes to publish.
pub(crate) struct SessionEndings {
    pool: PgPool,
    sessions: Sessions,
    clock: Clock,
    unpublished: Notifier,
}

impl SessionEndings {
    pub(crate) fn of(state: &State) -> Self {
        Self {
            pool: state.pool.clone(),
            sessions: state.sessions.clone(),
            clock: state.clock.clone(),
            unpublished: state.unpublished.clone(),
        }
    }

    /// Runs until the process stops.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut returns = self.sessions.returns();
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // This process does not know what happened before it started.
        let mut again = true;
        loop {
            tokio::select! {
                () = shutdown.stopped() => return,
                () = returns.next() => again = true,
                () = self.unpublished.notified() => {}
                _ = tick.tick() => {}
            }
            match self.publish(&mut again).await {
                Ok(()) => {}
                // The connection logs its absence once; this would be a line every few seconds.
                Err(Error::SessionsUnavailable(error)) => {
                    tracing::debug!(error = %ErrorChain(&error), "unable to publish endings of sessions");
                }
                Err(error) => {
                    tracing::warn!(error = %ErrorChain(&error), "unable to publish endings of sessions; trying again");
                }
            }
        }
    }

    async fn publish(&self, again: &mut bool) -> Result<(), Error> {
        if *again {
            store::sessions::publish_again(&self.pool, self.clock.now() - OF_LATE).await?;
            *again = false;
        }
        loop {
            let ended = store::sessions::unpublished(&self.pool, self.clock.now(), AT_ONCE).await?;
            if ended.is_empty() {
                return Ok(());
            }
            self.sessions.remove(&ended).await.map_err(Error::SessionsUnavailable)?;
            store::sessions::mark_published(&self.pool, &ended, self.clock.now()).await?;
            tracing::info!(sessions = ended.len(), "published endings of sessions");
        }
    }
}
