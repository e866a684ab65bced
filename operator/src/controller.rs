//! The loop: what wakes a reconcile, what follows one, and who may run them.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use ecommerce_runtime::Shutdown;
use ecommerce_types::Clock;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{Action, Config, Controller, Error as ControllerError};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{Predicate as _, PredicateConfig, WatchStreamExt as _, predicates, watcher};
use kube::{Api, Client, ResourceExt as _};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout, timeout_at};

use crate::backoff::Backoffs;
use crate::crd::EcommerceStack;
use crate::health::Health;
use crate::kinds::{KINDS, Wakes};
use crate::leadership::{GIVE_UP, Leadership, RENEW};
use crate::metrics::{RECONCILE_DURATION, RECONCILES};
use crate::names::{MANAGER, STACK_LABEL};
use crate::reconcile::calm::APART;
use crate::reconcile::jobs::has_work_behind_it;
use crate::reconcile::{self, Context, Ended, Error};
use crate::settings::Settings;

/// A change is seldom alone; what follows within this time is one reconcile.
const DEBOUNCE: Duration = Duration::from_millis(150);
/// Stacks that are reconciled at once.
const CONCURRENCY: u16 = 4;

/// What a stack that is not ready may wait for at least until it is looked at again.
const SHORTEST_LOOK: Duration = Duration::from_secs(5);
/// What a stack that failed waits at least.
const SHORTEST_BACKOFF: Duration = Duration::from_secs(1);
/// How soon it is seen that a person has mended what no watch tells of, such as a Secret.
const MENDED: Duration = Duration::from_secs(15);
/// What reconciles that are under way may take once the process is to end, with the Lease still held.
const LAST_RECONCILES: Duration = Duration::from_secs(10);

/// A stack as it is watched: what a person may have written there that nobody can read stops the watch of no other.
type Watched = PartialObjectMeta<EcommerceStack>;

/// What every turn of the loop works with.
struct Turn {
    context: Arc<Context>,
    failures: Backoffs,
    looks: Backoffs,
    health: Arc<Health>,
}

/// The controller ended by itself: nothing would be reconciled any more.
#[derive(Debug, thiserror::Error)]
#[error("the controller ended by itself")]
pub struct ControllerEnded;

/// Why a process leads no longer.
enum Over {
    /// It is to end.
    Told,
    /// Another replica may lead by now.
    LeaseLost,
    /// A fault of ours.
    Ended,
}

/// Waits for the Lease and reconciles while it is held, again and again until the process is to end: an API server that was away
/// costs a term and no restart.
///
/// # Errors
/// When the controller ended by itself.
pub async fn run(
    client: Client,
    settings: Settings,
    health: Arc<Health>,
    shutdown: Shutdown,
) -> Result<(), ControllerEnded> {
    let mut leadership = Leadership::new(client.clone(), &settings.operator_namespace, &settings.pod_name);
    let mut renewals = interval(RENEW);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let since = tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            since = acquire(&mut leadership, &health, &mut renewals) => since,
        };
        tracing::info!("leading");
        let context = Arc::new(Context::new(client.clone(), settings.clone(), Clock::system()));
        let over = lead(context, &mut leadership, since, &health, &mut renewals, &shutdown).await;
        if let Over::LeaseLost = over {
            tracing::warn!("the Lease could not be renewed: waiting for it");
            health.nothing_to_reconcile();
            continue;
        }
        match timeout(GIVE_UP, leadership.release()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "unable to release the Lease"),
            Err(_) => tracing::warn!("unable to release the Lease in time"),
        }
        return if let Over::Told = over { Ok(()) } else { Err(ControllerEnded) };
    }
}

/// Answers when the request was sent that was granted.
async fn acquire(leadership: &mut Leadership, health: &Health, renewals: &mut Interval) -> Instant {
    loop {
        renewals.tick().await;
        let asked = Instant::now();
        let answer = timeout(GIVE_UP, leadership.hold()).await;
        health.asked_for_the_lease();
        match answer {
            Ok(Ok(true)) => return asked,
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "unable to acquire the Lease"),
            Err(_) => tracing::warn!("unable to acquire the Lease in time"),
        }
    }
}

/// One term.
async fn lead(
    context: Arc<Context>,
    leadership: &mut Leadership,
    since: Instant,
    health: &Arc<Health>,
    renewals: &mut Interval,
    shutdown: &Shutdown,
) -> Over {
    let mut controller = tokio::spawn(reconcile_all(context, Arc::clone(health), shutdown.clone()));
    let too_late = async {
        shutdown.stopped().await;
        let _ = timeout(LAST_RECONCILES, pending::<()>()).await;
    };
    // To the end of what is under way: it must not meet the next leader's work.
    let over = tokio::select! {
        _ = &mut controller => if shutdown.is_stopped() { Over::Told } else { Over::Ended },
        () = keep_lease(leadership, since, health, renewals) => Over::LeaseLost,
        () = too_late => Over::Told,
    };
    controller.abort();
    if !controller.is_finished() {
        let _ = controller.await;
    }
    over
}

/// Renews until that is no longer possible.
async fn keep_lease(leadership: &mut Leadership, since: Instant, health: &Health, renewals: &mut Interval) {
    let mut renewed = since;
    loop {
        renewals.tick().await;
        // Others count from when the API server wrote it, which is after this.
        let asked = Instant::now();
        let answer = timeout_at(renewed + GIVE_UP, leadership.hold()).await;
        health.asked_for_the_lease();
        match answer {
            Ok(Ok(true)) => renewed = asked,
            Ok(Err(error)) if renewed.elapsed() < GIVE_UP => tracing::warn!(%error, "unable to renew the Lease"),
            Ok(Ok(false) | Err(_)) | Err(_) => return,
        }
    }
}

async fn reconcile_all(context: Arc<Context>, health: Arc<Health>, shutdown: Shutdown) {
    let client = context.client.clone();
    let watch = watcher::Config::default().timeout(context.settings.watch_seconds());
    let managed = format!("app.kubernetes.io/managed-by={MANAGER}");
    let ours = watch.clone().labels(&managed);
    let (stacks, writer) = reflector::store::<Watched>();
    // Our own status wakes nobody.
    let changes = predicates::generation.combine(predicates::labels).combine(predicates::annotations);
    let watched = watcher(Api::<Watched>::all(client.clone()), watch.clone())
        .default_backoff()
        .reflect(writer)
        .applied_objects()
        .predicate_filter(changes, PredicateConfig::default());
    let mut controller = Controller::for_stream(watched, stacks.clone())
        .with_config(Config::default().debounce(DEBOUNCE).concurrency(CONCURRENCY));
    for kind in KINDS.iter().filter(|kind| kind.wakes == Wakes::Always) {
        let objects = Api::<DynamicObject>::all_with(client.clone(), &kind.resource);
        controller = controller.owns_with(objects, kind.resource.clone(), ours.clone());
    }
    // A Job is told of by Kubernetes some seconds after its pod has done its work.
    let of_jobs = watch.labels(&format!("{managed},batch.kubernetes.io/job-name"));
    let controller = controller.watches_with(Api::<Pod>::all(client.clone()), (), of_jobs, stack_of);
    let controller = controller.graceful_shutdown_on(async move { shutdown.stopped().await });
    let longest = context.settings.longest_backoff();
    let turn = Arc::new(Turn {
        context,
        failures: Backoffs::new(SHORTEST_BACKOFF, longest),
        // Chance adds up to as much again.
        looks: Backoffs::new(SHORTEST_LOOK, longest / 10),
        health,
    });
    let after_each = Arc::clone(&turn);
    controller
        .run(reconcile_one, after_failure, turn)
        .for_each(|result| {
            after(&result, &stacks, &after_each);
            futures::future::ready(())
        })
        .await;
}

/// The stack whose databases a pod has worked at, once it has.
#[expect(clippy::needless_pass_by_value, reason = "the controller hands it over so")]
fn stack_of(pod: Pod) -> Option<ObjectRef<Watched>> {
    let stack = pod.labels().get(STACK_LABEL).filter(|_| has_work_behind_it(&pod))?;
    Some(ObjectRef::new(stack).within(&pod.namespace()?))
}

async fn reconcile_one(stack: Arc<Watched>, turn: Arc<Turn>) -> Result<Action, Error> {
    let started = Instant::now();
    let (namespace, name) = (stack.namespace().unwrap_or_default(), stack.name_any());
    let result = reconcile::run(&namespace, &name, &turn.context).await;
    let outcome = if result.is_ok() { "ok" } else { "error" };
    RECONCILES.increment([outcome]);
    RECONCILE_DURATION.series([]).observe(started.elapsed().as_secs_f64());
    turn.health.reconciled();
    let key = key(&stack);
    let ended = result?;
    turn.failures.forget(&key);
    Ok(match ended {
        Ended::Ready => {
            turn.looks.forget(&key);
            Action::requeue(turn.context.settings.resync())
        }
        Ended::ReadyAgain => Action::requeue(APART),
        Ended::WaitsForAPerson => Action::requeue(MENDED),
        Ended::NotReady => Action::requeue(turn.looks.next(&key)),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the controller hands them over so")]
fn after_failure(stack: Arc<Watched>, _: &Error, turn: Arc<Turn>) -> Action {
    Action::requeue(turn.failures.next(&key(&stack)))
}

fn after(
    result: &Result<(ObjectRef<Watched>, Action), ControllerError<Error, watcher::Error>>,
    stacks: &Store<Watched>,
    turn: &Turn,
) {
    match result {
        Ok((stack, _)) => tracing::debug!(stack.name = stack.name, "reconciled"),
        // The stack went while it was waiting for its turn.
        Err(ControllerError::ObjectNotFound(stack)) => {
            let key = format!("{}/{}", stack.namespace.clone().unwrap_or_default(), stack.name);
            turn.failures.forget(&key);
            turn.looks.forget(&key);
            turn.context.forget(&stack.namespace.clone().unwrap_or_default(), &stack.name);
        }
        Err(ControllerError::ReconcilerFailed(error, stack)) => {
            tracing::warn!(stack.name = stack.name, %error, "a reconcile failed and is tried again");
        }
        Err(error) => tracing::warn!(%error, "a watch failed and is opened again"),
    }
    if stacks.is_empty() {
        turn.health.nothing_to_reconcile();
    }
}

fn key(stack: &Watched) -> String {
    format!("{}/{}", stack.namespace().unwrap_or_default(), stack.name_any())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::body::Body;
    use axum::http::{Method, Request, Response};
    use serde_json::{Value, json};

    use super::*;

    /// An API server that grants the Lease after a while, and answers nothing more.
    fn slow_and_then_silent(slow: Duration) -> Client {
        let asked = Arc::new(AtomicU32::new(0));
        Client::new(
            tower::service_fn(move |request: Request<kube::client::Body>| {
                let number = asked.fetch_add(1, Ordering::SeqCst);
                async move {
                    let (status, body) = match (number, request.method()) {
                        (0, &Method::GET) => (404, json!({"kind": "Status", "code": 404, "reason": "NotFound"})),
                        (1, &Method::POST) => {
                            let _ = timeout(slow, pending::<()>()).await;
                            (201, json!({"metadata": {"name": MANAGER}}))
                        }
                        _ => pending().await,
                    };
                    let answer = Response::builder().status(status).body(Body::from(body.to_string())).unwrap();
                    Ok::<_, Infallible>(answer)
                }
            }),
            "default",
        )
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_term_counts_from_the_request_that_was_granted_and_not_from_its_answer() {
        let slow = GIVE_UP * 4 / 5;
        let mut leadership = Leadership::new(slow_and_then_silent(slow), "default", "first");
        let health = Health::new(Clock::system(), Duration::from_mins(1), Duration::from_mins(1));
        let (mut renewals, began) = (interval(RENEW), Instant::now());
        let since = acquire(&mut leadership, &health, &mut renewals).await;
        assert_eq!(began.elapsed().as_secs(), slow.as_secs());
        keep_lease(&mut leadership, since, &health, &mut renewals).await;
        assert_eq!(began.elapsed().as_secs(), GIVE_UP.as_secs());
    }

    #[test]
    fn a_pod_wakes_its_stack_once_its_work_is_done() {
        let pod = |container: &str, state: Value| {
            let container = json!({
                "name": container, "image": "x", "imageID": "x", "ready": false, "restartCount": 0, "state": state,
            });
            let pod: Pod = serde_json::from_value(json!({
                "metadata": {"name": "one", "namespace": "team", "labels": {"ecommercestack.dev/stack": "shop"}},
                "status": {"containerStatuses": [container]},
            }))
            .unwrap();
            pod
        };
        let ended = json!({"terminated": {"exitCode": 0}});
        assert_eq!(stack_of(pod("migrate", json!({"running": {}}))), None);
        assert_eq!(stack_of(pod("order", ended.clone())), None);
        for container in ["migrate", "provision"] {
            assert_eq!(stack_of(pod(container, ended.clone())), Some(ObjectRef::new("shop").within("team")));
        }
    }
}
