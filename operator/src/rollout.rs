//! Which revision of a service's pods is shown: its rendered template, named by its hash. A Deployment always shows one. Another
//! is taken when its gates are open, in the order of an upgrade: all migrations, then product and payment, order, auth, and the
//! gateway last. Until then what is in force is kept, scaled and repaired. Pure.
//!
//! Where one of an upgrade misses its deadline, all that have rolled with it show again what they showed before: migrations only
//! expand, so the old pods are still right. It stays so until something else is to roll or a person says
//! `ecommercestack.dev/retry`.

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use serde::{Deserialize, Serialize};

use crate::names::short_hash;

/// The annotation that tries a failed upgrade once more, whenever its value changes.
pub const RETRY_ANNOTATION: &str = "ecommercestack.dev/retry";

/// The revision of a service that is in force, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InForce {
    /// Its hash.
    pub revision: String,
    /// What served before it, to go back to; until all services serve what they are to serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// An upgrade that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The wave that was to roll.
    #[serde(default)]
    pub wave: String,
    /// What [`RETRY_ANNOTATION`] said then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
    /// The service that missed its deadline.
    pub service: String,
    /// The image that it was to run.
    pub image: String,
    /// What was wrong with its pods.
    pub message: String,
}

/// What is known of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The revision that the spec asks for.
    pub wanted: String,
    /// Its image.
    pub image: String,
    /// What must be so before a new revision is taken, and is not; empty where all is.
    pub waits_for: Option<&'static str>,
    /// What has to know its secrets before its pods do, and does not.
    pub secrets_wait_for: Option<&'static str>,
    /// The revision that its Deployment shows; `None` where there is none.
    pub shows: Option<String>,
    /// Whether all pods of that revision serve.
    pub is_available: bool,
    /// Whether nothing rolls and some serve: one that a lost node took is nobody's turn.
    pub serves: bool,
    /// What is wrong with its pods, once they have missed their deadline.
    pub missed: Option<String>,
}

/// The stack around the services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// What [`RETRY_ANNOTATION`] says.
    pub retry: Option<String>,
    /// Whether every store has answered for as long as pods have to become ready: those that found none of theirs are not at fault.
    pub stores_were_ready: bool,
}

/// Services of one rank may roll together.
const fn rank(service: Service) -> u8 {
    match service {
        Service::Product | Service::Payment => 0,
        Service::Order => 1,
        Service::Auth => 2,
        Service::Gateway => 3,
    }
}

/// Decides what each service shows from now on; a service that is not in `shown` afterwards has no pods yet.
pub fn decide(
    known: &BTreeMap<Service, Known>,
    around: &Around,
    shown: &mut BTreeMap<String, InForce>,
    failure: &mut Option<Failure>,
) {
    let wave = wave_of(known.values().map(|one| one.wanted.as_str()));
    if failure.as_ref().is_some_and(|failure| failure.wave != wave || failure.retry != around.retry) {
        *failure = None;
    }
    if known.iter().all(|(service, one)| is_settled(one, shown.get(service.as_str()))) {
        for present in shown.values_mut() {
            present.before = None;
        }
    }
    if failure.is_none() && around.stores_were_ready {
        *failure = take_back(known, &wave, around, shown);
    }
    for (service, one) in known {
        let present = shown.get(service.as_str());
        // It has served beside what the others show: it waits for nothing but its secrets.
        let goes_back = present.is_some_and(|present| present.before.as_ref() == Some(&one.wanted));
        let waits_for = if goes_back { one.secrets_wait_for } else { one.waits_for };
        if waits_for.is_some() || present.is_some_and(|present| present.revision == one.wanted) {
            continue;
        }
        // The first pods of a service replace nobody's.
        if present.is_some() && !goes_back && (failure.is_some() || !is_their_turn(*service, known)) {
            continue;
        }
        // What has never served is nothing to go back to, if there is anything else.
        let earlier = present.and_then(|present| present.before.clone());
        let last = present.map(|present| present.revision.clone());
        let before = if one.is_available { one.shows.clone() } else { earlier.or(last) };
        let next = InForce { revision: one.wanted.clone(), before };
        shown.insert(service.to_string(), next);
    }
}

fn is_settled(one: &Known, present: Option<&InForce>) -> bool {
    let in_force = present.map(|present| &present.revision);
    one.is_available && one.shows.as_ref() == Some(&one.wanted) && in_force == Some(&one.wanted)
}

/// Whether all that roll before a service serve what they are to serve.
fn is_their_turn(service: Service, known: &BTreeMap<Service, Known>) -> bool {
    let mut earlier = known.iter().filter(|(other, _)| rank(**other) < rank(service));
    earlier.all(|(_, other)| (other.is_available || other.serves) && other.shows.as_ref() == Some(&other.wanted))
}

/// Stands for everything that is to roll together: the revisions that are asked for, in the order of their services.
pub fn wave_of<'a>(wanted: impl IntoIterator<Item = &'a str>) -> String {
    short_hash(wanted)
}

fn take_back(
    known: &BTreeMap<Service, Known>,
    wave: &str,
    around: &Around,
    shown: &mut BTreeMap<String, InForce>,
) -> Option<Failure> {
    let (service, one, message) = known.iter().find_map(|(service, one)| {
        let present = shown.get(service.as_str())?;
        let is_at_fault = present.before.is_some() && one.shows.as_ref() == Some(&present.revision);
        is_at_fault.then_some((service, one, one.missed.clone()?))
    })?;
    // Also what a wave before this one has rolled that was cut short: all that have served together serve together again.
    for present in shown.values_mut() {
        if let Some(before) = present.before.take() {
            present.revision = before;
        }
    }
    let failure = Failure {
        wave: wave.to_owned(),
        retry: around.retry.clone(),
        service: service.to_string(),
        image: one.image.clone(),
        message,
    };
    Some(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stack whose services do at once what they are told, unless a test says otherwise.
    #[derive(Default)]
    struct Stack {
        known: BTreeMap<Service, Known>,
        around: Around,
        shown: BTreeMap<String, InForce>,
        failure: Option<Failure>,
    }

    impl Stack {
        fn wanting(revision: &str) -> Self {
            let mut stack = Self::default();
            stack.around.stores_were_ready = true;
            stack.want(revision);
            stack
        }

        fn want(&mut self, revision: &str) {
            for service in Service::ALL {
                let known = self.known.entry(service).or_default();
                revision.clone_into(&mut known.wanted);
            }
        }

        fn miss(&mut self, service: Service, words: &str) {
            let known = self.known.get_mut(&service).unwrap();
            (known.missed, known.is_available) = (Some(words.to_owned()), false);
        }

        /// What rolled in this step.
        fn step(&mut self) -> Vec<&'static str> {
            let before = self.shown.clone();
            decide(&self.known, &self.around, &mut self.shown, &mut self.failure);
            let mut rolled = Vec::new();
            for (service, known) in &mut self.known {
                let shown = self.shown.get(service.as_str());
                if shown.map(|shown| &shown.revision) != before.get(service.as_str()).map(|shown| &shown.revision) {
                    rolled.push(service.as_str());
                }
                known.shows = shown.map(|shown| shown.revision.clone());
                known.is_available = shown.is_some() && known.missed.is_none();
            }
            rolled.sort_unstable();
            rolled
        }

        fn revisions(&self) -> Vec<&str> {
            self.shown.values().map(|shown| shown.revision.as_str()).collect()
        }
    }

    #[test]
    fn a_new_stack_starts_all_at_once_as_their_gates_open() {
        let mut stack = Stack::wanting("1");
        stack.known.get_mut(&Service::Order).unwrap().waits_for = Some("its migration");
        assert_eq!(stack.step(), ["auth", "gateway", "payment", "product"]);
        stack.known.get_mut(&Service::Order).unwrap().waits_for = None;
        assert_eq!(stack.step(), ["order"]);
        assert!(stack.step().is_empty());
    }

    #[test]
    fn an_upgrade_rolls_product_and_payment_then_order_then_auth_and_the_gateway_last() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.want("2");
        for rolled in [&["payment", "product"][..], &["order"], &["auth"], &["gateway"], &[]] {
            assert_eq!(stack.step(), rolled);
        }
    }

    #[test]
    fn the_first_that_misses_its_deadline_brings_back_those_that_rolled_until_the_spec_or_a_person_says_otherwise() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.want("2");
        stack.step();
        stack.miss(Service::Order, "it ends with code 1");
        stack.step();
        // Its stores being away is nobody's fault.
        stack.around.stores_were_ready = false;
        assert!(stack.step().is_empty());
        stack.around.stores_were_ready = true;
        assert_eq!(stack.step(), ["order", "payment", "product"]);
        assert_eq!(stack.revisions(), ["1"; 5]);
        let failure = stack.failure.clone().unwrap();
        assert_eq!((failure.service.as_str(), failure.message.as_str()), ("order", "it ends with code 1"));
        stack.known.get_mut(&Service::Order).unwrap().missed = None;
        assert!(stack.step().is_empty(), "what went back stays back");

        stack.around.retry = Some("now".to_owned());
        assert_eq!(stack.step(), ["payment", "product"]);
        assert_eq!(stack.failure, None);
        stack.step();
        stack.miss(Service::Order, "again");
        stack.step();
        assert_eq!(stack.revisions(), ["1"; 5]);
        stack.known.get_mut(&Service::Order).unwrap().missed = None;
        stack.want("3");
        for rolled in [&["payment", "product"][..], &["order"], &["auth"], &["gateway"], &[]] {
            assert_eq!(stack.step(), rolled);
        }
    }

    #[test]
    fn a_first_revision_that_misses_its_deadline_has_nothing_to_go_back_to() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.miss(Service::Order, "it ends with code 1");
        assert!(stack.step().is_empty());
        assert_eq!(stack.failure, None);
        stack.want("2");
        assert_eq!(stack.step(), ["payment", "product"]);
    }

    #[test]
    fn what_went_well_before_stays_where_one_service_alone_goes_back() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.want("2");
        for _ in 0..5 {
            stack.step();
        }
        // Another password, for the same generation of the spec.
        stack.known.get_mut(&Service::Order).unwrap().wanted = "2 with another password".to_owned();
        assert_eq!(stack.step(), ["order"]);
        stack.miss(Service::Order, "it ends with code 1");
        assert_eq!(stack.step(), ["order"]);
        assert_eq!(stack.revisions(), ["2"; 5]);
    }

    #[test]
    fn a_change_in_the_middle_of_an_upgrade_leaves_no_mixture_when_it_fails() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.want("2");
        assert_eq!(stack.step(), ["payment", "product"]);
        stack.known.get_mut(&Service::Gateway).unwrap().wanted = "2 with another setting".to_owned();
        assert_eq!(stack.step(), ["order"]);
        stack.miss(Service::Order, "it ends with code 1");
        stack.step();
        assert_eq!(stack.revisions(), ["1"; 5]);
    }

    #[test]
    fn from_a_revision_that_never_served_the_way_back_is_the_one_that_did() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.want("2");
        stack.step();
        for service in [Service::Product, Service::Payment] {
            stack.known.get_mut(&service).unwrap().is_available = false;
        }
        stack.want("3");
        stack.step();
        stack.miss(Service::Product, "it ends with code 1");
        stack.step();
        assert_eq!(stack.revisions(), ["1"; 5]);
    }

    #[test]
    fn what_is_mended_outside_of_the_spec_is_tried_by_itself() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.known.get_mut(&Service::Auth).unwrap().wanted = "1 of a bad operator".to_owned();
        stack.step();
        stack.miss(Service::Auth, "it ends with code 1");
        assert_eq!(stack.step(), ["auth"]);
        assert!(stack.failure.is_some());
        stack.known.get_mut(&Service::Auth).unwrap().missed = None;
        stack.known.get_mut(&Service::Auth).unwrap().wanted = "1".to_owned();
        assert!(stack.step().is_empty());
        assert_eq!(stack.failure, None);
    }

    #[test]
    fn a_deployment_that_is_deleted_while_it_waits_waits_on() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.want("2");
        stack.step();
        stack.miss(Service::Product, "no node");
        stack.known.get_mut(&Service::Product).unwrap().missed = None;
        let order = stack.known.get_mut(&Service::Order).unwrap();
        (order.shows, order.is_available) = (None, false);
        assert!(!stack.step().contains(&"order"));
        assert_eq!(stack.shown["order"].revision, "1");
    }

    #[test]
    fn a_pod_that_a_lost_node_took_holds_nobody_up() {
        let mut stack = Stack::wanting("1");
        stack.step();
        let product = stack.known.get_mut(&Service::Product).unwrap();
        (product.is_available, product.serves) = (false, true);
        stack.known.get_mut(&Service::Gateway).unwrap().wanted = "2".to_owned();
        assert_eq!(stack.step(), ["gateway"]);
    }

    #[test]
    fn what_is_taken_back_goes_back_at_once_whatever_else_waits() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.known.get_mut(&Service::Gateway).unwrap().wanted = "2 of a bad image".to_owned();
        assert_eq!(stack.step(), ["gateway"]);
        stack.known.get_mut(&Service::Product).unwrap().is_available = false;
        let gateway = stack.known.get_mut(&Service::Gateway).unwrap();
        (gateway.is_available, gateway.waits_for) = (false, Some("all migrations"));
        gateway.wanted = "1".to_owned();
        gateway.secrets_wait_for = Some("redis");
        assert!(stack.step().is_empty(), "not with secrets that redis does not know");
        stack.known.get_mut(&Service::Gateway).unwrap().secrets_wait_for = None;
        assert_eq!(stack.step(), ["gateway"]);
        assert_eq!(stack.revisions(), ["1"; 5]);
    }

    #[test]
    fn one_service_that_changes_waits_for_nobody_who_does_not() {
        let mut stack = Stack::wanting("1");
        stack.step();
        stack.known.get_mut(&Service::Gateway).unwrap().wanted = "2".to_owned();
        assert_eq!(stack.step(), ["gateway"]);
    }
}
