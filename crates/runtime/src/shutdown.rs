//! How a process ends: unready first, then a wait, then no new work, then gone.
//!
//! Kubernetes sends SIGTERM and takes the pod from the endpoints at the same time, so new connections still come for a
//! moment. A process that closes its door at once refuses them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::settings::Drain;

/// Tells every part of a process that it ends. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    draining: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Shutdown {
    /// A process that does not end yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits in the background for SIGTERM or SIGINT, and then begins the end with these delays.
    pub fn on_signal(&self, drain: Drain) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!(drain.delay_seconds = drain.drain_delay_seconds, "shutting down");
            shutdown.drain();
            #[expect(
                clippy::disallowed_methods,
                reason = "the endpoints give no sign that they have forgotten this pod"
            )]
            tokio::time::sleep(drain.delay()).await;
            shutdown.stop();
        });
        Ok(())
    }

    /// Whether the process has turned unready.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst) || self.stop.is_cancelled()
    }

    /// Turns unready: the end is near, but new work is still taken.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Takes no new work from now on.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether no new work is to be taken.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Resolves when no new work is to be taken.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }
}
