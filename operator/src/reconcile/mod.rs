//! A reconcile, one file a step: read what is there → validate → make absent secrets → see what the Jobs did → build (in
//! [`crate::build`], pure) → apply → remove what is no longer wanted → status.
//!
//! A reconcile decides from what the API server says now, never from what an earlier one remembers; it may be cut off
//! anywhere, and the next one goes on. To add a step: a file, and its line in [`run`].

pub mod apply;
pub mod dereference;
pub mod diagnose;
pub mod events;
pub mod jobs;
pub mod prune;
pub mod secrets;
pub mod status;
pub mod validate;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ecommerce_types::Clock;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::Api;
use kube::runtime::controller::Action;
use kube::runtime::events::Recorder;
use kube::{Client, Resource as _, ResourceExt as _};

use crate::build::{self, Desired, Inputs};
use crate::crd::{EcommerceStack, EcommerceStackStatus};
use crate::names::{MANAGER, Names};
use crate::settings::Settings;

use apply::Applied;
use dereference::Observed;
use jobs::Progress;
use validate::SpecProblem;

/// Everything is looked at again after this time, whether something happened or not.
pub const RESYNC: Duration = Duration::from_mins(5);
/// What no watch tells of (a pod that finds no image, a Secret that is still missing) is looked at again after this time.
const UNTIL_READY: Duration = Duration::from_secs(5);

/// Why a reconcile did not reach its end. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused or did not answer.
    #[error("unable to {action}: {source}")]
    Api {
        /// What was tried, as it goes on after "unable to".
        action: String,
        /// What the API server says.
        source: Box<kube::Error>,
    },
    /// A stack without namespace or uid: not one that the API server gave.
    #[error("the stack has no namespace or no uid")]
    NotStored,
}

impl Error {
    /// For `map_err`: what was tried.
    pub fn api(action: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let action = action.into();
        move |source| Self::Api { action, source: Box::new(source) }
    }
}

/// What every reconcile works with.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What the operator was told at its start.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// Where Events go.
    pub recorder: Recorder,
    /// What was applied already.
    pub applied: Applied,
}

impl Context {
    /// A context with nothing applied yet.
    #[must_use]
    pub fn new(client: Client, settings: Settings, clock: Clock) -> Self {
        let recorder = Recorder::new(client.clone(), MANAGER.into());
        Self { client, settings, clock, recorder, applied: Applied::default() }
    }
}

/// What a reconcile found and did; the status is made from it.
#[derive(Debug)]
pub struct ReconcileOutcome<'a> {
    /// The stack as it was.
    pub stack: &'a EcommerceStack,
    /// Its names.
    pub names: &'a Names,
    /// The version that it is to run.
    pub version: &'a str,
    /// What is there.
    pub observed: &'a Observed,
    /// What the Jobs did.
    pub progress: &'a Progress,
    /// What the spec asks for and can not have.
    pub problems: &'a [SpecProblem],
    /// What is to be there; nothing where there are problems or the stack is paused.
    pub desired: &'a Desired,
    /// What the operator was told at its start.
    pub settings: &'a Settings,
    /// The time.
    pub clock: &'a Clock,
}

/// Brings a stack closer to its spec and says when to look again.
pub async fn run(stack: Arc<EcommerceStack>, context: Arc<Context>) -> Result<Action, Error> {
    let namespace = stack.namespace().ok_or(Error::NotStored)?;
    let api: Api<EcommerceStack> = Api::namespaced(context.client.clone(), &namespace);
    // The copy that woke us may be older than our own last status.
    let name = stack.name_any();
    let Some(stack) = api.get_opt(&name).await.map_err(Error::api("read the stack"))? else {
        return Ok(Action::await_change());
    };
    if stack.metadata.deletion_timestamp.is_some() {
        // What goes with the stack is owned by it and collected by Kubernetes.
        return Ok(Action::await_change());
    }
    match step_through(&stack, &namespace, &context).await {
        Ok(status) => {
            status::write(&api, &stack, &status, &context).await?;
            Ok(Action::requeue(if status::is_ready(&status) { RESYNC } else { UNTIL_READY }))
        }
        Err(error) => {
            context.applied.forget(&namespace, &name);
            let status = status::of_error(&stack, &error, &context.clock);
            status::write(&api, &stack, &status, &context).await?;
            Err(error)
        }
    }
}

async fn step_through(
    stack: &EcommerceStack,
    namespace: &str,
    context: &Context,
) -> Result<EcommerceStackStatus, Error> {
    let names = Names::new(namespace, &stack.name_any());
    let mut observed = dereference::read(stack, &names, &context.client).await?;
    let problems = validate::problems(&stack.spec, &observed);
    let owner = stack.controller_owner_ref(&()).ok_or(Error::NotStored)?;
    let old = stack.status.clone().unwrap_or_default();
    let version = version(stack, &old, &context.settings);

    let may_change = problems.is_empty() && !stack.spec.is_paused();
    if may_change {
        secrets::make_absent(&names, &mut observed.credentials, &context.client).await?;
    }
    let progress = see_jobs(stack, &names, &owner, &version, &observed, context);
    let desired = if may_change {
        let desired = build::build(&inputs(stack, &names, &owner, &version, &observed, &progress, context));
        apply::apply(&desired, &names, &observed, context).await?;
        prune::prune(&desired, &names, &observed, &progress.due(&status::now(&context.clock)), &context.client).await?;
        desired
    } else {
        Desired::default()
    };
    let outcome = ReconcileOutcome {
        stack,
        names: &names,
        version: &version,
        observed: &observed,
        progress: &progress,
        problems: &problems,
        desired: &desired,
        settings: &context.settings,
        clock: &context.clock,
    };
    Ok(status::of(&outcome))
}

/// The spec's version; where it names none, the one that the stack has run since it was made.
fn version(stack: &EcommerceStack, old: &EcommerceStackStatus, settings: &Settings) -> String {
    let named = stack.spec.version.clone().or_else(|| old.version.clone());
    named.unwrap_or_else(|| settings.services_version.clone())
}

fn see_jobs(
    stack: &EcommerceStack,
    names: &Names,
    owner: &OwnerReference,
    version: &str,
    observed: &Observed,
    context: &Context,
) -> Progress {
    let mut progress = Progress::recorded(&stack.status.clone().unwrap_or_default());
    let key = observed.postgres_claim().map(|claim| {
        build::provisioning_key(&inputs(stack, names, owner, version, observed, &progress, context), claim)
    });
    progress.see_provisioning(names, key.as_deref(), observed);
    let images: BTreeMap<_, _> = ecommerce_contract::Service::WITH_DATABASE
        .map(|service| (service, build::image(&stack.spec, &context.settings, version, service)))
        .into();
    progress.see_migrations(names, &images, observed);
    progress
}

fn inputs<'a>(
    stack: &'a EcommerceStack,
    names: &'a Names,
    owner: &'a OwnerReference,
    version: &'a str,
    observed: &'a Observed,
    progress: &'a Progress,
    context: &'a Context,
) -> Inputs<'a> {
    Inputs {
        spec: &stack.spec,
        names,
        owner,
        settings: &context.settings,
        version,
        credentials: &observed.credentials,
        volumes: &observed.volumes,
        postgres_claim: observed.postgres_claim(),
        provisioned_from: progress.provisioned_from.as_deref(),
        databases: &progress.databases,
        migrated: &progress.migrated,
        settled: &progress.settled,
    }
}
