//! The background work of a process: relays, consumers, clocks.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::Shutdown;

/// Background tasks that run until the process ends. One that ends early takes the process with it: half a service that
/// looks alive is worse than a restart.
#[derive(Debug)]
pub struct Tasks {
    shutdown: Shutdown,
    running: JoinSet<&'static str>,
}

/// A background task ended while the process was to go on.
#[derive(Debug, thiserror::Error)]
#[error("background task {0} ended unexpectedly")]
pub struct EndedEarly(pub String);

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, running: JoinSet::new() }
    }

    /// Starts one; it is to return when the shutdown it was given says stop.
    pub fn spawn<F>(&mut self, name: &'static str, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.running.spawn(async move {
            work.await;
            name
        });
    }

    /// Waits until the process stops, then gives the tasks `timeout` to end.
    pub async fn run(mut self, timeout: Duration) -> Result<(), EndedEarly> {
        let early = tokio::select! {
            () = self.shutdown.stopped() => None,
            Some(ended) = self.running.join_next() => Some(ended),
        };
        if let Some(ended) = early
            && !self.shutdown.is_stopped()
        {
            self.shutdown.stop();
            return Err(EndedEarly(ended.map_or_else(|error| error.to_string(), str::to_owned)));
        }
        let all_ended = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(timeout, all_ended).await.is_err() {
            tracing::warn!("background tasks did not end in time and were dropped");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_early_takes_the_process_with_it() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("relay", async {});
        let error = tasks.run(Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "background task relay ended unexpectedly");
        assert!(shutdown.is_stopped());
    }

    #[tokio::test]
    async fn tasks_that_end_with_the_process_are_no_error() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        let theirs = shutdown.clone();
        tasks.spawn("relay", async move { theirs.stopped().await });
        shutdown.stop();
        tasks.run(Duration::from_secs(1)).await.unwrap();
    }
}
