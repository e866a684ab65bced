//! What the form of each store is decided from, read from what is there, and which of them has to wait for its turn.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;

use super::dereference::{Observed, is_ready};
use super::diagnose;
use super::validate::SpecProblem;
use crate::crd::{Amount, Amounts, EcommerceStack, EmbeddedStore, Resources};
use crate::ledger::Ledger;
use crate::names::{Backend, Names};
use crate::objects::revision::REVISION;
use crate::objects::{Inputs, TEMPLATE, store_template};
use crate::rollout::RETRY_ANNOTATION;
use crate::store_form::{Seen, StoreForm, asked, decide};

/// The form of each store from now on; one that is not among them is not made.
#[must_use]
pub fn forms(
    stack: &EcommerceStack,
    names: &Names,
    problems: &[SpecProblem],
    ledger: &Ledger,
    observed: &Observed,
    now: &Time,
) -> BTreeMap<String, StoreForm> {
    let of_store = |store: Backend| {
        let present = ledger.stores.get(store.as_str());
        let shows = |form: &&StoreForm| shown(names, store, observed).is_some_and(|shown| shown == form.hash());
        let set = observed.stateful_sets.get(&names.backend(store));
        let seen = Seen {
            asked: asked(&stack.spec, store),
            cannot_be: problems.iter().any(|problem| problem.refuses(store)),
            serves: present.filter(shows).and(set).is_some_and(is_ready),
            never_starts: present.filter(shows).and_then(|form| never_starts(form, names, store, observed, now)),
            retry: stack.annotations().get(RETRY_ANNOTATION).cloned(),
            now: now.clone(),
        };
        Some((store.as_str().to_owned(), decide(present.cloned(), seen)?))
    };
    stack.spec.embedded().filter_map(of_store).collect()
}

/// What was tried and taken back.
#[must_use]
pub fn problems(ledger: &Ledger) -> Vec<SpecProblem> {
    let of_store = |store: Backend| {
        let failure = ledger.stores.get(store.as_str())?.failure.as_ref()?;
        let (image, message) = (failure.asked.image.clone(), failure.message.clone());
        Some(SpecProblem::StoreTakenBack { store, image, message })
    };
    Backend::ALL.into_iter().filter_map(of_store).collect()
}

/// The form that a store's `StatefulSet` shows.
fn shown<'a>(names: &Names, store: Backend, observed: &'a Observed) -> Option<&'a str> {
    let set = observed.stateful_sets.get(&names.backend(store))?;
    set.annotations().get(REVISION).map(String::as_str)
}

fn never_starts(form: &StoreForm, names: &Names, store: Backend, observed: &Observed, now: &Time) -> Option<String> {
    let set = observed.stateful_sets.get(&names.backend(store))?;
    let status = set.status.as_ref().filter(|status| status.observed_generation >= set.metadata.generation)?;
    let of_form = observed
        .store_pod(names, store)
        .filter(|pod| pod.labels().get("controller-revision-hash") == status.update_revision.as_ref());
    match of_form {
        Some(pod) => diagnose::never_starts(pod, now),
        None => diagnose::store_refused(observed, names, store, form.since.as_ref(), now),
    }
}

/// The stores that would restart as they are to be now. One that does not serve has nothing to lose.
#[must_use]
pub fn restarting(inputs: &Inputs<'_>, observed: &Observed) -> BTreeSet<Backend> {
    let would_restart = |store: &Backend| {
        let set = observed.stateful_sets.get(&inputs.names.backend(*store)).filter(|set| is_ready(set));
        let is_free = !inputs.held.stores.contains(store) && inputs.stores.contains_key(store.as_str());
        set.filter(|_| is_free)
            .is_some_and(|set| set.annotations().get(TEMPLATE) != Some(&store_template(inputs, *store)))
    };
    Backend::ALL.into_iter().filter(would_restart).collect()
}

/// The form that is read from what runs.
#[must_use]
pub fn of_set(set: &StatefulSet) -> Option<StoreForm> {
    let container = set.spec.as_ref()?.template.spec.as_ref()?.containers.first()?;
    let amounts = |of: &Option<BTreeMap<String, Quantity>>| {
        let amount = |name: &str| Some(Amount::Text(of.as_ref()?.get(name)?.0.clone()));
        Some(Amounts { cpu: amount("cpu"), memory: amount("memory") })
    };
    let resources = container.resources.as_ref();
    let resources =
        resources.map(|said| Resources { requests: amounts(&said.requests), limits: amounts(&said.limits) });
    let made_from = EmbeddedStore { image: container.image.clone(), resources, storage: None };
    Some(StoreForm { made_from, has_served: is_ready(set), ..StoreForm::default() })
}
