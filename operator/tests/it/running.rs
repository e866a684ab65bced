//! The controller as it runs, over a way on which things go wrong.

use std::sync::Arc;
use std::time::Duration;

use ecommerce_runtime::Shutdown;
use ecommerce_testing::within;
use ecommerce_types::Clock;
use operator::controller::{self, ControllerEnded};
use operator::health::Health;
use operator::settings::Settings;
use tokio::task::JoinHandle;

use crate::walk::{Walk, patient};
use crate::way::Way;

/// An operator of the stacks of one namespace alone.
pub(crate) struct Operator {
    pub(crate) way: Way,
    shutdown: Shutdown,
    pub(crate) task: JoinHandle<Result<(), ControllerEnded>>,
}

impl Operator {
    pub(crate) fn start(walk: &Walk, change: impl FnOnce(&mut Settings)) -> Self {
        Self::over(Way::to(walk.client.clone(), &walk.namespace), walk, change)
    }

    /// One whose way is as a test has made it before.
    pub(crate) fn over(way: Way, walk: &Walk, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings =
            Settings { operator_namespace: walk.namespace.clone(), longest_backoff_seconds: 10, ..patient() };
        change(&mut settings);
        let shutdown = Shutdown::new();
        let health = Arc::new(Health::new(Clock::system(), settings.resync(), settings.longest_backoff()));
        let task = tokio::spawn(controller::run(way.client(), settings, health, shutdown.clone()));
        Self { way, shutdown, task }
    }

    /// Until the stack was looked at once.
    pub(crate) async fn has_looked(&self) {
        within(Duration::from_mins(1), "the first look", || async { (self.way.looks() > 0).then_some(()) }).await;
    }

    /// Its process has not ended before.
    pub(crate) async fn stop(self) {
        assert!(!self.task.is_finished(), "the process ended by itself");
        self.shutdown.stop();
        self.task.await.unwrap().unwrap();
    }
}
