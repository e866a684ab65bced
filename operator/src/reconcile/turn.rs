//! What of a stack may restart now, and what waits for the pods of another one.

use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::Service;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::dereference::Observed;
use super::wave::Wave;
use super::{rollout, stores};
use crate::crd::EcommerceStack;
use crate::ledger::Ledger;
use crate::names::Backend;
use crate::objects::{Inputs, Revision};

/// What has to wait.
#[derive(Default)]
pub(super) struct Turn {
    /// These stores.
    pub(super) queued: BTreeSet<Backend>,
    /// Whether services do, which no person has asked to roll.
    pub(super) rolls_wait: bool,
}

/// Takes the stack's turn where something is to restart that has to wait for other stacks, and gives it back once all has come back.
pub(super) fn take(
    stack: &EcommerceStack,
    inputs: &Inputs<'_>,
    revisions: &BTreeMap<Service, Revision>,
    ledger: &mut Ledger,
    observed: &Observed,
    wave: &Wave,
    now: &Time,
) -> Turn {
    let names = inputs.names;
    let restarting = stores::restarting(inputs, observed);
    let rolls_unasked = rollout::rolls_unasked(stack, revisions, ledger, observed, names);
    if rolls_unasked || !restarting.is_empty() {
        if wave.enter(names, now) {
            return Turn::default();
        }
        return Turn { queued: restarting, rolls_wait: rolls_unasked };
    }
    let is_over = rollout::is_over(revisions, ledger, observed, names);
    let stores_are_back = Backend::ALL.into_iter().all(|store| inputs.resolved.store(store).is_steady);
    if stores_are_back && is_over {
        ledger.generation = stack.metadata.generation;
    }
    if stores_are_back && (is_over || rollout::went_back(revisions, ledger)) {
        wave.leave(names);
    }
    Turn::default()
}
