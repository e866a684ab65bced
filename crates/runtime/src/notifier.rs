//! Tells a background task of the same process that there is work.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes a background task as soon as there is work for it, which its own polling would find only later. A notification
/// while the task is busy is not lost. (PostgreSQL's `NOTIFY` would do it across processes, but it serialises the commits of
/// the whole database.)
#[derive(Debug, Clone, Default)]
pub struct Notifier(Arc<Notify>);

impl Notifier {
    /// A notifier that has not notified yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notifies; call it after the commit.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Resolves at the next notification.
    pub async fn notified(&self) {
        self.0.notified().await;
    }
}
