//! What a service has to have once before it takes requests for the first time.
//!
//! A pod that is told a wrong password or cannot reach a store never turns ready, so it takes the place of none that serves. Once it
//! was ready nothing of this is asked again: a store that goes away takes no pod with it.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ecommerce_runtime::{ErrorChain, Shutdown};
use tokio::time::{MissedTickBehavior, interval};

/// Between two tries, at least.
const TRY: Duration = Duration::from_secs(1);

type IsReached = Box<dyn Fn() -> bool + Send + Sync>;

/// Everything that is to be reached once, by its name.
#[derive(Default)]
pub(crate) struct Readiness(Vec<(&'static str, IsReached)>);

impl Readiness {
    /// Waits for something more.
    pub(crate) fn wait_for(&mut self, name: &'static str, is_reached: impl Fn() -> bool + Send + Sync + 'static) {
        self.0.push((name, Box::new(is_reached)));
    }

    /// Tells what is not reached yet; nothing from the first time on that everything was.
    pub(crate) fn into_question(self) -> impl Fn() -> Vec<&'static str> + Send + Sync + 'static {
        let was_ready = AtomicBool::new(false);
        move || {
            if was_ready.load(Ordering::Relaxed) {
                return Vec::new();
            }
            let unreached = self.0.iter().filter(|(_, is_reached)| !is_reached());
            let unreached: Vec<_> = unreached.map(|(name, _)| *name).collect();
            was_ready.store(unreached.is_empty(), Ordering::Relaxed);
            unreached
        }
    }
}

/// Tries to reach a store until it was reached once, and says why it is not.
pub(crate) async fn reach<F, E>(
    store: &'static str,
    reach: impl Fn() -> F,
    was_reached: Arc<AtomicBool>,
    shutdown: Shutdown,
) where
    F: Future<Output = Result<(), E>>,
    E: Error + 'static,
{
    let mut tick = interval(TRY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = String::new();
    let until_reached = async {
        loop {
            tick.tick().await;
            let Err(error) = reach().await else { break };
            let why = ErrorChain(&error).to_string();
            if why != said {
                tracing::warn!(store, error = why, "unable to reach a store; the service is not ready before it has");
                said = why;
            }
        }
        was_reached.store(true, Ordering::Relaxed);
        tracing::info!(store, "reached a store");
    };
    tokio::select! {
        () = shutdown.stopped() => return,
        () = until_reached => {}
    }
    // A task that ended would end the process.
    shutdown.stopped().await;
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::AtomicU32;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_is_tried_once_a_second_until_it_was_reached_and_not_again() {
        let (tries, was_reached, shutdown) =
            (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)), Shutdown::new());
        let (counted, began) = (tries.clone(), Instant::now());
        let away_three_times = move || {
            let away = counted.fetch_add(1, Ordering::Relaxed) < 3;
            std::future::ready(if away { Err(io::Error::from(io::ErrorKind::ConnectionRefused)) } else { Ok(()) })
        };
        let task = tokio::spawn(reach("PostgreSQL", away_three_times, was_reached.clone(), shutdown.clone()));
        while !was_reached.load(Ordering::Relaxed) {
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert!((3..4).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        tokio::time::advance(TRY * 5).await;
        assert!(!task.is_finished(), "a task that ends ends the process");
        shutdown.stop();
        task.await.unwrap();
        assert_eq!(tries.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn what_was_reached_once_is_not_asked_for_again() {
        let (mut readiness, away) = (Readiness::default(), Arc::new(AtomicBool::new(true)));
        readiness.wait_for("PostgreSQL", || true);
        let is_away = away.clone();
        readiness.wait_for("Redis", move || !is_away.load(Ordering::Relaxed));
        let unreached = readiness.into_question();
        assert_eq!(unreached(), ["Redis"]);
        away.store(false, Ordering::Relaxed);
        assert!(unreached().is_empty());
        away.store(true, Ordering::Relaxed);
        assert!(unreached().is_empty());
    }
}
