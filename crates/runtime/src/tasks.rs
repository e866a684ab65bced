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
    /// Tells the tasks that end last.
    end: Shutdown,
    last: JoinSet<&'static str>,
}

/// A background task ended while the process was to go on.
#[derive(Debug, thiserror::Error)]
#[error("background task {0} ended unexpectedly")]
pub struct EndedEarly(pub String);

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, running: JoinSet::new(), end: Shutdown::new(), last: JoinSet::new() }
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

    /// Starts one that is told to stop when all others and all requests have ended, because it finishes what they began: the
    /// relay sends the events that they committed.
    pub fn spawn_last<F>(&mut self, name: &'static str, work: impl FnOnce(Shutdown) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = work(self.end.clone());
        self.last.spawn(async move {
            work.await;
            name
        });
    }

    /// Waits until the process stops, then gives `requests` and the tasks `timeout` to end, and after them the last ones as
    /// long again.
    pub async fn run(mut self, requests: impl Future<Output = ()>, timeout: Duration) -> Result<(), EndedEarly> {
        let work = async {
            let early = tokio::select! {
                () = self.shutdown.stopped() => None,
                Some(ended) = self.running.join_next() => Some(ended),
                Some(ended) = self.last.join_next() => Some(ended),
            };
            let early = early.filter(|_| !self.shutdown.is_stopped());
            self.shutdown.stop();
            end(&mut self.running, timeout).await;
            early
        };
        let (early, ()) = tokio::join!(work, requests);
        self.end.stop();
        end(&mut self.last, timeout).await;
        match early {
            None => Ok(()),
            Some(ended) => Err(EndedEarly(ended.map_or_else(|error| error.to_string(), str::to_owned))),
        }
    }
}

async fn end(tasks: &mut JoinSet<&'static str>, timeout: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(timeout, all).await.is_err() {
        tracing::warn!("background tasks did not end in time and were dropped");
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
        let error = tasks.run(async {}, Duration::from_secs(1)).await.unwrap_err();
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
        tasks.run(async {}, Duration::from_secs(1)).await.unwrap();
    }

    #[tokio::test]
    async fn the_last_tasks_end_after_the_requests() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        let requests_ended = Shutdown::new();
        let seen = requests_ended.clone();
        tasks.spawn_last("relay", |end| async move {
            end.stopped().await;
            assert!(seen.is_stopped(), "told to stop while a request was running");
        });
        let requests = async {
            shutdown.stopped().await;
            tokio::task::yield_now().await;
            requests_ended.stop();
        };
        shutdown.stop();
        tasks.run(requests, Duration::from_secs(1)).await.unwrap();
    }
}
