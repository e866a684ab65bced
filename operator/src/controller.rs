//! The loop: what wakes a reconcile, what follows one, and who may run them.

use std::sync::Arc;
use std::time::Duration;

use ecommerce_runtime::Shutdown;
use ecommerce_types::Clock;
use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Service;
use kube::runtime::controller::{Action, Config, Controller, Error as ControllerError};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt as _};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::backoff::Backoffs;
use crate::crd::EcommerceStack;
use crate::health::Health;
use crate::leadership::{GIVE_UP, Leadership, RENEW};
use crate::metrics::{RECONCILE_DURATION, RECONCILES};
use crate::names::MANAGER;
use crate::reconcile::{self, Context, Error};
use crate::settings::Settings;

/// A change is seldom alone; what follows within this time is one reconcile.
const DEBOUNCE: Duration = Duration::from_millis(150);
/// Stacks that are reconciled at once.
const CONCURRENCY: u16 = 4;

/// What every turn of the loop works with.
struct Turn {
    context: Arc<Context>,
    backoff: Backoffs,
    health: Arc<Health>,
}

/// Why the operator stopped before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// Another replica may lead by now.
    #[error("the Lease could not be renewed")]
    LeaseLost,
}

/// Waits for the Lease, then reconciles until the process stops or the Lease is lost.
pub async fn run(client: Client, settings: Settings, health: Arc<Health>, shutdown: Shutdown) -> Result<(), Stopped> {
    let mut leadership = Leadership::new(client.clone(), &settings.operator_namespace, &settings.pod_name);
    let mut renewals = interval(RENEW);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            _ = renewals.tick() => {}
        }
        match leadership.hold().await {
            Ok(leads) => {
                health.lease_answered();
                if leads {
                    break;
                }
            }
            Err(error) => tracing::warn!(%error, "unable to acquire the Lease"),
        }
    }
    tracing::info!("leading");
    let context = Arc::new(Context::new(client, settings, Clock::system()));
    let controller = tokio::spawn(reconcile_all(context, health.clone(), shutdown.clone()));
    let kept = keep_lease(&mut leadership, &health, &shutdown, &mut renewals).await;
    if kept.is_err() {
        // At once: what is under way must not meet the next leader's work.
        controller.abort();
        return kept;
    }
    let _ = controller.await;
    if let Err(error) = leadership.release().await {
        tracing::warn!(%error, "unable to release the Lease");
    }
    Ok(())
}

async fn keep_lease(
    leadership: &mut Leadership,
    health: &Health,
    shutdown: &Shutdown,
    renewals: &mut tokio::time::Interval,
) -> Result<(), Stopped> {
    let mut renewed = Instant::now();
    loop {
        tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            _ = renewals.tick() => {}
        }
        match tokio::time::timeout_at(renewed + GIVE_UP, leadership.hold()).await {
            Ok(Ok(true)) => {
                renewed = Instant::now();
                health.lease_answered();
            }
            Ok(Err(error)) if renewed.elapsed() < GIVE_UP => tracing::warn!(%error, "unable to renew the Lease"),
            Ok(Ok(false) | Err(_)) | Err(_) => return Err(Stopped::LeaseLost),
        }
    }
}

async fn reconcile_all(context: Arc<Context>, health: Arc<Health>, shutdown: Shutdown) {
    let client = context.client.clone();
    let ours = || watcher::Config::default().labels(&format!("app.kubernetes.io/managed-by={MANAGER}"));
    let controller = Controller::new(Api::<EcommerceStack>::all(client.clone()), watcher::Config::default())
        .with_config(Config::default().debounce(DEBOUNCE).concurrency(CONCURRENCY))
        .owns(Api::<StatefulSet>::all(client.clone()), ours())
        .owns(Api::<Deployment>::all(client.clone()), ours())
        .owns(Api::<Job>::all(client.clone()), ours())
        .owns(Api::<Service>::all(client), ours())
        .graceful_shutdown_on(async move { shutdown.stopped().await });
    let stacks = controller.store();
    let turn = Arc::new(Turn { context, backoff: Backoffs::default(), health });
    let watched = Arc::clone(&turn);
    controller
        .run(reconcile_one, after_failure, turn)
        .for_each(|result| {
            after(&result, &stacks, &watched);
            futures::future::ready(())
        })
        .await;
}

async fn reconcile_one(stack: Arc<EcommerceStack>, turn: Arc<Turn>) -> Result<Action, Error> {
    let started = Instant::now();
    let key = key(&stack);
    let result = reconcile::run(stack, Arc::clone(&turn.context)).await;
    let outcome = if result.is_ok() { "ok" } else { "error" };
    RECONCILES.increment([outcome]);
    RECONCILE_DURATION.series([]).observe(started.elapsed().as_secs_f64());
    turn.health.reconciled();
    if result.is_ok() {
        turn.backoff.after_success(&key);
    }
    result
}

#[expect(clippy::needless_pass_by_value, reason = "the controller hands them over so")]
fn after_failure(stack: Arc<EcommerceStack>, _: &Error, turn: Arc<Turn>) -> Action {
    Action::requeue(turn.backoff.after_failure(&key(&stack)))
}

fn after(
    result: &Result<(ObjectRef<EcommerceStack>, Action), ControllerError<Error, watcher::Error>>,
    stacks: &Store<EcommerceStack>,
    turn: &Turn,
) {
    match result {
        Ok((stack, _)) => tracing::debug!(stack.name = stack.name, "reconciled"),
        // The stack went while it was waiting for its turn.
        Err(ControllerError::ObjectNotFound(_)) => {}
        Err(ControllerError::ReconcilerFailed(error, stack)) => {
            tracing::warn!(stack.name = stack.name, %error, "a reconcile failed and is tried again");
        }
        Err(error) => tracing::warn!(%error, "a watch failed and is opened again"),
    }
    if stacks.is_empty() {
        turn.health.nothing_to_reconcile();
    }
}

fn key(stack: &EcommerceStack) -> String {
    format!("{}/{}", stack.namespace().unwrap_or_default(), stack.name_any())
}
