//! Tells Redis which sessions have ended and whose roles have changed.
//!
//! Both are in PostgreSQL first. Who changes something tells Redis at once; what could not be told then is told from here. And a
//! Redis that starts anew may have forgotten the last moments before it went (its log is written to disk once a second), or have
//! been put back to an older state: so each run of it is told once more of all that its sessions may not know, newest first, and
//! then that this is all. The gateway believes it from then on.

use std::time::Duration;

use ecommerce_postgres::Pool;
use ecommerce_redis::{Session, Sessions};
use ecommerce_runtime::{ErrorChain, Notifier, Shutdown};
use ecommerce_token::{LEEWAY, LIFETIME};
use ecommerce_types::{Clock, SessionId};
use tokio::time::MissedTickBehavior;

use crate::Error;
use crate::store::sessions::{self, Change};

/// How often it is looked for what another process could not tell.
const LOOK: Duration = Duration::from_secs(1);
/// Changes in one command.
const AT_ONCE: u16 = 500;

/// How long Redis holds a session that nobody refreshes: as long as its last access token may be good.
pub(crate) const HELD: time::Duration = LIFETIME.saturating_add(LEEWAY);
/// How far back a session may have been put that Redis still holds: clocks of two processes are not the same.
const REMEMBERED: time::Duration = HELD.saturating_add(time::Duration::minutes(1));

/// What it takes to tell. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct SessionChanges {
    pool: Pool,
    sessions: Sessions,
    clock: Clock,
    untold: Notifier,
}

impl SessionChanges {
    pub(crate) fn new(pool: Pool, sessions: Sessions, clock: Clock) -> Self {
        Self { pool, sessions, clock, untold: Notifier::new() }
    }

    /// Tells of changes that are committed. Where that fails it is done later, and sooner than anybody else notices.
    pub(crate) async fn tell(&self, changes: &[Change]) {
        if let Err(error) = self.publish(changes).await {
            tracing::warn!(error = %ErrorChain(&error), "unable to tell of a change of sessions; it is told later");
            self.untold.notify();
        }
    }

    /// Runs until the process stops.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut returns = self.sessions.returns();
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.stopped() => return,
                () = returns.next() => {}
                () = self.untold.notified() => {}
                _ = tick.tick() => {}
            }
            let told = async {
                // Each time: somebody may have emptied it, or put another one in its place.
                self.complete().await?;
                self.publish_untold().await
            };
            match told.await {
                Ok(()) => {}
                // The connection logs its absence once; this would be a line every second.
                Err(Error::SessionsUnavailable(error)) => {
                    tracing::debug!(error = %ErrorChain(&error), "unable to tell of changes of sessions");
                }
                Err(error) => {
                    tracing::warn!(error = %ErrorChain(&error), "unable to tell of changes of sessions; trying again");
                }
            }
        }
    }

    /// Tells a run of Redis that has not been told yet of everything that it may have forgotten. Writes nothing in PostgreSQL.
    async fn complete(&self) -> Result<(), Error> {
        if self.sessions.are_complete().await.map_err(Error::SessionsUnavailable)? {
            return Ok(());
        }
        let run = self.sessions.run().await.map_err(Error::SessionsUnavailable)?;
        let changes = sessions::changed_since(&self.pool, self.clock.now() - REMEMBERED).await?;
        for some in changes.chunks(AT_ONCE.into()) {
            self.write(some).await?;
        }
        self.sessions.mark_complete(run).await.map_err(Error::SessionsUnavailable)?;
        tracing::info!(sessions = changes.len(), "told redis of all changes of sessions that it may have forgotten");
        Ok(())
    }

    async fn publish_untold(&self) -> Result<(), Error> {
        loop {
            let changes = sessions::unpublished(&self.pool, AT_ONCE.into()).await?;
            if changes.is_empty() {
                return Ok(());
            }
            self.publish(&changes).await?;
            tracing::info!(sessions = changes.len(), "told of changes of sessions");
        }
    }

    async fn publish(&self, changes: &[Change]) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        self.write(changes).await?;
        Ok(sessions::mark_published(&self.pool, changes).await?)
    }

    async fn write(&self, changes: &[Change]) -> Result<(), Error> {
        let ended: Vec<SessionId> =
            changes.iter().filter(|change| change.stands.is_none()).map(|change| change.id).collect();
        let others: Vec<(SessionId, Session)> =
            changes.iter().filter_map(|change| Some((change.id, change.stands?))).collect();
        self.sessions.remove(&ended).await.map_err(Error::SessionsUnavailable)?;
        if let Err(error) = self.sessions.change(&others).await {
            // A Redis that is full takes nothing new and still forgets: who then has no session gets one by a refresh.
            let others: Vec<SessionId> = others.iter().map(|(id, _)| *id).collect();
            self.sessions.remove(&others).await.map_err(Error::SessionsUnavailable)?;
            tracing::warn!(error = %ErrorChain(&error), "took sessions out of redis that it did not let be changed");
        }
        Ok(())
    }
}
