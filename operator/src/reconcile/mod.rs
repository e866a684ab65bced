//! A reconcile, one file a step: read what is there, and the ledger → validate → make absent secrets → resolve → see what the Jobs
//! did → decide what each service shows (in [`crate::rollout`]) → build (in [`crate::objects`]) → keep the ledger → apply → remove
//! what is no longer wanted → status. What decides is pure.
//!
//! A reconcile decides from what the API server says now, never from what an earlier one remembers; it may be cut off
//! anywhere, and the next one goes on. To add a step: a file, and its line in `step_through`.

mod addresses;
pub mod apply;
pub mod calm;
pub mod dereference;
pub mod diagnose;
pub mod edges;
mod error;
pub mod events;
mod facts;
mod findings;
mod guard;
pub mod jobs;
pub mod ledger;
pub mod prune;
pub mod refusal;
pub mod rollout;
pub mod secrets;
pub mod status;
pub mod stores;
mod turn;
pub mod validate;
pub mod volume;
pub mod wave;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_types::Clock;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::{Client, Resource as _, ResourceExt as _};

use crate::crd::{EcommerceStack, EcommerceStackSpec, EcommerceStackStatus};
use crate::credentials::wanted;
use crate::edge_keys::EdgeKeys;
use crate::ledger::Ledger;
use crate::names::{Backend, Names};
use crate::objects::{self, Held, Inputs, Revision};
use crate::resolve::Resolved;
use crate::rollout::{InForce, Known};
use crate::settings::Settings;
use crate::store_form::in_force;

use apply::Applied;
use calm::Calm;
use dereference::Observed;
use diagnose::Trouble;
use facts::Facts;
use guard::within;
use jobs::{Adopts, Progress};
use refusal::Refusal;
use turn::Turn;
use validate::SpecProblem;
use wave::Wave;

pub use error::Error;

/// How a reconcile ended that reached its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The stack is as it should be, or gone.
    Ready,
    /// It is, after trouble that may come back, or with something under way that time alone brings on.
    ReadyAgain,
    /// It is, but for something that a person has to mend, who would like to see that it is mended.
    WaitsForAPerson,
    /// It is not yet; no watch tells of everything that it may wait for.
    NotReady,
}

/// What it may take to tell what went wrong.
const TELL: Duration = Duration::from_secs(5);

/// What every reconcile works with.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What the operator was told at its start.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// What was applied already.
    pub applied: Applied,
    /// Which stacks are out of trouble.
    pub calm: Calm,
    /// Whose stores restart.
    pub wave: Wave,
}

impl Context {
    /// A context with nothing applied yet.
    #[must_use]
    pub fn new(client: Client, settings: Settings, clock: Clock) -> Self {
        Self { client, settings, clock, applied: Applied::default(), calm: Calm::default(), wave: Wave::default() }
    }

    /// Forgets a stack that is no more.
    pub fn forget(&self, namespace: &str, stack: &str) {
        self.applied.forget(namespace, stack);
        let names = Names::new(namespace, stack);
        self.calm.forget(&names);
        self.wave.leave(&names);
    }
}

/// What a reconcile found and did; the status is made from it.
#[derive(Debug)]
pub struct ReconcileOutcome<'a> {
    /// The stack as it was.
    pub stack: &'a EcommerceStack,
    /// Its names.
    pub names: &'a Names,
    /// The images, and where the stores are.
    pub resolved: &'a Resolved,
    /// What is there.
    pub observed: &'a Observed,
    /// What the Jobs did.
    pub progress: &'a Progress,
    /// What the spec asks for and can not have.
    pub problems: &'a [SpecProblem],
    /// What the API server did not take.
    pub refusals: &'a [Refusal],
    /// The titles of what this look has changed.
    pub changed: &'a BTreeSet<String>,
    /// The stores that restart when those of another stack have.
    pub queued: &'a BTreeSet<Backend>,
    /// What is kept of the stack.
    pub ledger: &'a Ledger,
    /// What each service is to show and shows.
    pub services: &'a BTreeMap<Service, Known>,
    /// What is wrong with pods.
    pub trouble: Option<&'a Trouble>,
    /// Whether nothing has been wrong with them for some time.
    pub is_calm: bool,
    /// The time.
    pub clock: &'a Clock,
}

/// Brings a stack closer to its spec: within the limit, and whatever happens.
pub async fn run(namespace: &str, name: &str, context: &Context) -> Result<Ended, Error> {
    let limit = context.settings.reconcile_limit();
    let error = match within(limit, Box::pin(reconcile(namespace, name, context))).await {
        Ok(ended) => return ended,
        Err(cut_off) => cut_off,
    };
    context.applied.forget(namespace, name);
    // The API server may be what does not answer.
    let told = async {
        if let Some(Found { stack, .. }) = read(namespace, name, context).await? {
            tell(&stack, &error, context).await?;
        }
        Ok::<(), Error>(())
    };
    // And what has panicked may panic again.
    if let Err(untold) = within(limit.min(TELL), Box::pin(told)).await.flatten() {
        tracing::warn!(stack.name = name, error = %untold, "unable to tell what is wrong with a stack");
    }
    Err(error)
}

/// A stack as it is now, and what of it does not read: its spec is then as if it were empty.
struct Found {
    stack: EcommerceStack,
    fault: Option<Error>,
}

/// Read anew: the copy that woke us may be older than our own last status.
async fn read(namespace: &str, name: &str, context: &Context) -> Result<Option<Found>, Error> {
    let resource = ApiResource::erase::<EcommerceStack>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), namespace, &resource);
    let Some(mut object) = api.get_opt(name).await.map_err(Error::api("read the stack"))? else { return Ok(None) };
    // Nothing is decided from it: what another operator has written there, in its own words, is written anew.
    let status = object.data.as_object_mut().and_then(|fields| fields.remove("status"));
    let status = status.and_then(|status| serde_json::from_value(status).ok());
    let metadata = object.metadata.clone();
    let whole = serde_json::to_value(object).and_then(serde_json::from_value::<EcommerceStack>);
    let (spec, fault) = match whole {
        Ok(stack) => (stack.spec, None),
        Err(error) => (EcommerceStackSpec::default(), Some(Error::Invalid(error.to_string()))),
    };
    Ok(Some(Found { stack: EcommerceStack { metadata, spec, status }, fault }))
}

async fn tell(stack: &EcommerceStack, error: &Error, context: &Context) -> Result<(), Error> {
    status::write(stack, &status::of_error(stack, error, &context.clock), context).await
}

async fn reconcile(namespace: &str, name: &str, context: &Context) -> Result<Ended, Error> {
    let Some(Found { stack, fault }) = read(namespace, name, context).await? else {
        context.forget(namespace, name);
        return Ok(Ended::Ready);
    };
    if let Some(error) = fault {
        tell(&stack, &error, context).await?;
        return Err(error);
    }
    if stack.metadata.deletion_timestamp.is_some() {
        // What goes with the stack is owned by it and collected by Kubernetes.
        return Ok(Ended::Ready);
    }
    match Box::pin(step_through(&stack, namespace, context)).await {
        Ok(Looked { status, refusals, keys_are_changing }) => {
            status::write(&stack, &status, context).await?;
            if let Some(refusal) = refusals.into_iter().next() {
                return Err(Error::Refused(refusal));
            }
            Ok(match status::ended(&status) {
                Ended::Ready if keys_are_changing => Ended::ReadyAgain,
                ended => ended,
            })
        }
        Err(error) => {
            context.applied.forget(namespace, name);
            // What came first is what is wrong.
            if let Err(untold) = tell(&stack, &error, context).await {
                tracing::warn!(stack.name = name, error = %untold, "unable to tell what is wrong with a stack");
            }
            Err(error)
        }
    }
}

/// What a look has come to.
#[derive(Default)]
struct Looked {
    status: EcommerceStackStatus,
    refusals: Vec<Refusal>,
    keys_are_changing: bool,
}

async fn step_through(stack: &EcommerceStack, namespace: &str, context: &Context) -> Result<Looked, Error> {
    let names = Names::new(namespace, &stack.name_any());
    let now = status::now(&context.clock);
    let mut observed = dereference::read(stack, &names, &context.client).await?;
    let of_former = observed.of_former_stacks(stack);
    if !of_former.is_empty() {
        let status = status::behind_former(stack, &of_former, &context.clock);
        return Ok(Looked { status, ..Looked::default() });
    }
    let (mut ledger, mut problems) = judge(stack, &names, &context.settings, &mut observed);
    let mut held = validate::held_by(&problems, &names, &observed);
    let owner = stack.controller_owner_ref(&()).ok_or(Error::NotStored)?;

    let may_change = !held.everything && !stack.spec.is_paused();
    if may_change {
        ledger.stores = stores::forms(stack, &names, &problems, &ledger, &observed, &now);
    }
    problems.extend(stores::problems(&ledger));
    let forms = ledger.stores.clone();
    let spec = in_force(&stack.spec, |store| forms.get(store.as_str()));
    let (mut refusals, mut changed) = (Vec::new(), BTreeSet::new());
    if may_change {
        refusals.extend(make_secrets(stack, &names, &mut held, &mut ledger, &mut observed, &now, context).await?);
    }
    let resolved = addresses::locate(&spec, &names, &ledger, &observed);
    let edges = ledger.edges.clone();
    let facts = Facts { spec: &spec, forms: &forms, names: &names, owner: &owner, edges: &edges, held: &held, context };
    let (mut progress, proven) = see_provisioning(stack, &facts, &resolved, &observed, &ledger, &now);
    let resolved = proven.unwrap_or(resolved);
    addresses::tell(&mut observed, &names, &resolved);
    progress.see_migrations(&names, &resolved, &observed, &held, &now);
    progress.record(&mut ledger);

    let inputs = facts.inputs(&resolved, &observed, &progress);
    let revisions = objects::revisions(&inputs);
    let turn = may_change.then(|| turn::take(stack, &inputs, &revisions, &mut ledger, &observed, &context.wave, &now));
    let Turn { queued, rolls_wait } = turn.unwrap_or_default();
    let held = Held { stores: &held.stores | &queued, ..held.clone() };
    let inputs = Inputs { held: &held, ..inputs };
    let services = rollout::known(&inputs, &revisions, &ledger, &observed, rolls_wait);
    if may_change {
        let around = rollout::around(stack, &names, &resolved, &observed, &now);
        let before = ledger.revisions.clone();
        crate::rollout::decide(&services, &around, &mut ledger.revisions, &mut ledger.failed_upgrade);
        refusals.extend(keep_revisions(&inputs, &revisions, &before, &mut ledger, &observed, context).await?);
        let kept = apply::ensure(&objects::ledger::object(&inputs, &ledger), &names, &observed, context).await?;
        if let Err(refusal) = kept {
            // Without it nothing is known tomorrow of what is done today.
            refusals.push(refusal);
        } else {
            let shown = rollout::shown(&inputs, &revisions, &services, &ledger, &observed);
            let desired = objects::build(&inputs, &shown);
            let applied = apply::apply(&desired, &names, &observed, context).await?;
            refusals.extend(applied.refusals);
            changed = applied.changed;
            refusals
                .extend(prune::prune(&desired, &progress, &now, &names, &observed, &ledger, &context.client).await?);
        }
    } else {
        refusals.extend(leave(&inputs, &ledger, &observed, context).await?);
    }
    let trouble = diagnose::trouble(&observed, &names, &now);
    let is_calm = context.calm.see(&names, trouble.is_none(), &now);
    let outcome = ReconcileOutcome {
        stack,
        names: &names,
        resolved: &resolved,
        observed: &observed,
        progress: &progress,
        problems: &problems,
        refusals: &refusals,
        changed: &changed,
        queued: &queued,
        ledger: &ledger,
        services: &services,
        trouble: trouble.as_ref(),
        is_calm,
        clock: &context.clock,
    };
    let keys_are_changing = edges.values().any(EdgeKeys::are_changing);
    Ok(Looked { status: status::of(&outcome), refusals, keys_are_changing })
}

/// Makes the secrets that are absent, holds those that the API server refused, and takes in what a person has put into others.
async fn make_secrets(
    stack: &EcommerceStack,
    names: &Names,
    held: &mut Held,
    ledger: &mut Ledger,
    observed: &mut Observed,
    now: &Time,
    context: &Context,
) -> Result<Vec<Refusal>, Error> {
    let mut refusals = Vec::new();
    let refused = secrets::make_absent(&stack.spec, names, held, &mut observed.credentials, &context.client).await?;
    for (secret, refusal) in refused {
        validate::hold_secret(held, names, observed, &secret);
        refusals.push(refusal);
    }
    let free = wanted(names, &stack.spec).into_iter().filter(|wanted| !held.secrets.contains(&wanted.name));
    free.for_each(|wanted| ledger.uses(&wanted));
    edges::look(&mut ledger.edges, names, held, &observed.credentials, now);
    Ok(refusals)
}

/// What the provisioning Job did; and where the stores are from now on, where it has tried all that is said of them.
fn see_provisioning(
    stack: &EcommerceStack,
    facts: &Facts<'_>,
    resolved: &Resolved,
    observed: &Observed,
    ledger: &Ledger,
    now: &Time,
) -> (Progress, Option<Resolved>) {
    let mut progress = Progress::recorded(ledger);
    let key = objects::provisioning_key(&facts.inputs(resolved, observed, &progress));
    let adopts = match &resolved.store(Backend::Postgres).theirs {
        None => Adopts::Any,
        Some(theirs) if observed.has_data_services(facts.names) => {
            Adopts::OfBefore { is_in_force: theirs.present.is_none() || theirs.present == theirs.next }
        }
        Some(_) => Adopts::Named(stack.annotations().get(jobs::ADOPT_ANNOTATION).map_or("", String::as_str)),
    };
    progress.see_provisioning(facts.names, key.as_deref(), adopts, observed, now);
    let is_proven = key.is_some() && progress.provisioned_from == key;
    (progress, is_proven.then(|| resolved.clone().proven(facts.names)))
}

/// Changes nothing but whom what is there goes with, and what is kept of it.
async fn leave(
    inputs: &Inputs<'_>,
    ledger: &Ledger,
    observed: &Observed,
    context: &Context,
) -> Result<Vec<Refusal>, Error> {
    let desired = objects::build(inputs, &BTreeMap::new());
    let mut refusals = apply::say_owners(&desired, inputs.names, observed, context).await?;
    if observed.ledger.is_some() && !inputs.held.everything {
        let ledger = objects::ledger::object(inputs, ledger);
        refusals.extend(apply::ensure(&ledger, inputs.names, observed, context).await?.err());
    }
    Ok(refusals)
}

/// What is kept of a stack, and what is wrong with what it asks for.
fn judge(
    stack: &EcommerceStack,
    names: &Names,
    settings: &Settings,
    observed: &mut Observed,
) -> (Ledger, Vec<SpecProblem>) {
    let (mut ledger, unreadable) = match ledger::of(&stack.spec, names, settings, observed) {
        Ok(ledger) => (ledger, None),
        Err(fault) => {
            let problem = SpecProblem::LedgerUnreadable { ledger: names.ledger(), fault: fault.to_string() };
            (ledger::of_what_runs(&stack.spec, names, settings, observed), Some(problem))
        }
    };
    ledger.see_postgres(observed.claim(Backend::Postgres), observed.seen_postgres(names));
    observed.known_secrets = ledger.credentials.keys().cloned().collect();
    let mut problems = validate::problems(&stack.spec, names, &ledger, observed);
    problems.extend(unreadable);
    (ledger, problems)
}

/// Keeps the revisions that are taken, before anything says that they are; one that is refused is not taken.
async fn keep_revisions(
    inputs: &Inputs<'_>,
    revisions: &BTreeMap<Service, Revision>,
    before: &BTreeMap<String, InForce>,
    ledger: &mut Ledger,
    observed: &Observed,
    context: &Context,
) -> Result<Vec<Refusal>, Error> {
    let mut refusals = Vec::new();
    for (service, wanted) in revisions {
        let name = service.as_str();
        let is_taken = ledger.revisions.get(name).is_some_and(|shown| shown.revision == wanted.hash);
        if !is_taken || before.get(name).is_some_and(|shown| shown.revision == wanted.hash) {
            continue;
        }
        let manifest = objects::revision::object(inputs, *service, wanted);
        if let Err(refusal) = apply::ensure(&manifest, inputs.names, observed, context).await? {
            refusals.push(refusal);
            match before.get(name) {
                Some(shown) => ledger.revisions.insert(name.to_owned(), shown.clone()),
                None => ledger.revisions.remove(name),
            };
        }
    }
    Ok(refusals)
}
