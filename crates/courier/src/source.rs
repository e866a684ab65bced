//! A queue's messages as they come, in batches.

use std::future::pending;
use std::time::Duration;

use futures::stream::Fuse;
use futures::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::Error;

/// The most messages in one transaction.
const BATCH: usize = 100;
/// From the beginning of one batch to the next, at the least.
const PACE: Duration = Duration::from_millis(5);

pub(crate) struct Source {
    /// Its end comes behind what was handed out before, and is told once: whoever asks again after it is told again.
    deliveries: Fuse<lapin::Consumer>,
    pace: Interval,
    /// What has come for the next batch.
    batch: Vec<Delivery>,
    ended: Option<Error>,
}

impl Source {
    pub(crate) fn new(deliveries: lapin::Consumer) -> Self {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { deliveries: deliveries.fuse(), pace, batch: Vec::new(), ended: None }
    }

    /// Whatever has come, as soon as something has; nothing, when it has just ended. Dropped before, it loses nothing.
    pub(crate) async fn next(&mut self) -> Vec<Delivery> {
        if self.batch.is_empty() {
            if self.ended.is_some() {
                return pending().await;
            }
            let first = self.deliveries.next().await;
            self.put(first);
        }
        self.pace.tick().await;
        // Nobody waits for a batch to fill.
        while self.batch.len() < BATCH
            && self.ended.is_none()
            && let Some(next) = self.deliveries.next().now_or_never()
        {
            self.put(next);
        }
        std::mem::take(&mut self.batch)
    }

    /// Whether nothing has come that was not taken.
    pub(crate) fn is_idle(&mut self) -> bool {
        if self.batch.is_empty()
            && self.ended.is_none()
            && let Some(next) = self.deliveries.next().now_or_never()
        {
            self.put(next);
        }
        self.batch.is_empty() && self.ended.is_none()
    }

    /// Whether nothing more comes.
    pub(crate) fn has_ended(&self) -> bool {
        self.batch.is_empty() && self.ended.is_some()
    }

    /// Why nothing more comes.
    pub(crate) fn end(self) -> Error {
        self.ended.unwrap_or(Error::ConsumerEnded)
    }

    /// Once nothing more is asked for: what was handed out ahead.
    pub(crate) async fn rest(mut self) -> Result<Vec<Delivery>, Error> {
        while self.ended.is_none() {
            let next = self.deliveries.next().await;
            self.put(next);
        }
        match self.ended {
            None | Some(Error::ConsumerEnded) => Ok(self.batch),
            Some(error) => Err(error),
        }
    }

    fn put(&mut self, next: Option<Result<Delivery, lapin::Error>>) {
        match next {
            Some(Ok(delivery)) => self.batch.push(delivery),
            Some(Err(error)) => self.ended = Some(error.into()),
            None => self.ended = Some(Error::ConsumerEnded),
        }
    }
}
