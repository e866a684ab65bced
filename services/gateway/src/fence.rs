//! Whether what Redis says of sessions can be believed.
//!
//! A Redis that was killed or put back may have forgotten the last endings, and would let in whoever has just been shut out. So
//! each run of it is believed from when auth has told it of them once more. Until then it is as if it were away, but for what
//! only gets stricter: a session that is not there has ended, and roles that are newer are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ecommerce_redis::Sessions;
use ecommerce_runtime::Shutdown;
use tokio::time::timeout;

/// How often it is looked whether auth has told Redis, while it has not.
const WAITING: Duration = Duration::from_millis(50);
/// How often it is looked whether it is still the run that was told, where no connection has said otherwise.
const LOOK: Duration = Duration::from_secs(5);

/// Open while Redis can be believed. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fence(Arc<AtomicU64>);

/// How the fence stood at a moment, and how often it had changed: what was believed under another is to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stand(u64);

impl Stand {
    /// Whether Redis could be believed.
    pub(crate) fn is_open(self) -> bool {
        self.0 % 2 == 1
    }
}

impl Fence {
    /// How it stands.
    pub(crate) fn stand(&self) -> Stand {
        Stand(self.0.load(Ordering::Acquire))
    }

    /// Watches Redis until the process stops.
    pub(crate) async fn follow(self, sessions: Sessions, shutdown: Shutdown) {
        let (mut losses, mut returns) = (sessions.losses(), sessions.returns());
        while !shutdown.is_stopped() {
            match sessions.are_complete().await {
                Ok(are_complete) => self.set(are_complete),
                Err(error) => tracing::debug!(%error, "unable to ask whether redis knows of all endings"),
            }
            let pause = if self.stand().is_open() { LOOK } else { WAITING };
            // The loss comes before anything is asked of the next run.
            let another_connection = async {
                tokio::select! {
                    () = losses.next() => {}
                    () = returns.next() => {}
                }
            };
            tokio::select! {
                biased;
                () = shutdown.stopped() => return,
                another = timeout(pause, another_connection) => {
                    if another.is_ok() {
                        self.set(false);
                    }
                }
            }
        }
    }

    fn set(&self, open: bool) {
        if self.stand().is_open() != open {
            self.0.fetch_add(1, Ordering::AcqRel);
            if !open {
                tracing::warn!(
                    "redis was away: who is logged in is not believed until auth has told it of all endings"
                );
            }
        }
    }
}
