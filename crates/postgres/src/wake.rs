//! A tap on the shoulder inside one process.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes a background task as soon as there is work for it, which its own polling would find only later. A tap while the
/// task is busy is not lost. (`NOTIFY` would do it across processes, but it serialises the commits of the whole database.)
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// A shoulder that nobody has tapped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Taps; call it after the commit.
    pub fn tap(&self) {
        self.0.notify_one();
    }

    /// Resolves at the next tap.
    pub async fn tapped(&self) {
        self.0.notified().await;
    }
}
