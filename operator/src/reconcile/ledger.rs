//! The ledger that is kept, and how it is made anew from what runs where it is gone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::Service;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::ResourceExt as _;

use super::dereference::Observed;
use super::stores;
use crate::crd::EcommerceStackSpec;
use crate::credentials::wanted;
use crate::external::PRESENT;
use crate::ledger::{Ledger, Pins};
use crate::names::{Backend, Names};
use crate::objects::revision::REVISION;
use crate::rollout::InForce;
use crate::settings::Settings;

/// The ledger that is kept; where there is none, that of what runs; and where nothing runs, a new one.
///
/// # Errors
/// When somebody has written something else there.
pub fn of(
    spec: &EcommerceStackSpec,
    names: &Names,
    settings: &Settings,
    observed: &Observed,
) -> Result<Ledger, serde_json::Error> {
    let Some(text) = observed.ledger.as_deref() else { return Ok(of_what_runs(spec, names, settings, observed)) };
    let mut ledger = Ledger::parse(text)?;
    take_from_what_runs(&mut ledger, of_what_runs(spec, names, settings, observed));
    forget_what_is_gone(&mut ledger, names, observed);
    Ok(ledger)
}

/// What runs and stands in no entry of the ledger, as where a backup was put back or somebody has emptied it. A part that is made anew
/// as the spec asks for it might be what did not start. Every ledger of ours names images: one that does not was emptied whole.
fn take_from_what_runs(ledger: &mut Ledger, running: Ledger) {
    if ledger.pins.is_incomplete() {
        ledger.pins = running.pins;
        for (secret, keys) in running.credentials {
            ledger.credentials.entry(secret).or_default().extend(keys);
        }
    }
    for (service, shown) in running.revisions {
        ledger.revisions.entry(service).or_insert(shown);
    }
    for (store, form) in running.stores {
        ledger.stores.entry(store).or_insert(form);
    }
}

/// A stack that was deleted has left its ledger and not its revisions; and who wrote one down may have been cut off before it was
/// kept.
fn forget_what_is_gone(ledger: &mut Ledger, names: &Names, observed: &Observed) {
    if observed.deployments.is_empty() {
        ledger.failed_upgrade = None;
        ledger.stores.values_mut().for_each(|form| form.failure = None);
    }
    for service in Service::ALL {
        let is_kept = |hash: &str| observed.revisions.contains_key(&names.revision(service, hash));
        let Some(shown) = ledger.revisions.get_mut(service.as_str()) else { continue };
        shown.before = shown.before.take().filter(|before| is_kept(before));
        let of_deployment = shown_by(names, service, observed);
        if is_kept(&shown.revision) || of_deployment == Some(&shown.revision) {
            continue;
        }
        match of_deployment {
            Some(revision) => revision.clone_into(&mut shown.revision),
            None => {
                ledger.revisions.remove(service.as_str());
            }
        }
    }
}

/// What runs tells its images and which secrets it knows. What was provisioned and migrated is told by Jobs, which are made once
/// more and change nothing.
#[must_use]
pub fn of_what_runs(spec: &EcommerceStackSpec, names: &Names, settings: &Settings, observed: &Observed) -> Ledger {
    let mut ledger = Ledger { pins: Pins::of_today(settings), ..Ledger::default() };
    for backend in Backend::ALL {
        let set = observed.stateful_sets.get(&names.backend(backend));
        if let Some(image) = set.and_then(|set| image(&set.spec.as_ref()?.template)) {
            ledger.pins.stores.insert(backend.as_str().to_owned(), image);
        }
        if let Some(form) = set.and_then(stores::of_set) {
            ledger.stores.insert(backend.as_str().to_owned(), form);
        }
    }
    let is_named = |service: Service| spec.service(service).is_some_and(|said| said.image.is_some());
    let running = Service::ALL.into_iter().filter(|service| !is_named(*service)).find_map(|service| {
        let deployment = observed.deployments.get(&names.service(service))?;
        let image = image(&deployment.spec.as_ref()?.template)?;
        let (registry, version) = image.rsplit_once(&format!("/{service}:"))?;
        Some((registry.to_owned(), version.to_owned()))
    });
    if let Some((registry, version)) = running {
        ledger.pins = Pins { version, registry, ..ledger.pins };
    }
    ledger.credentials = in_use(spec, names, observed);
    for service in Service::ALL {
        if let Some(revision) = shown_by(names, service, observed) {
            let others = observed.revisions.iter().filter(|(name, _)| **name != names.revision(service, revision));
            let of_service =
                others.filter_map(|(name, kept)| Some((kept, name.strip_prefix(&names.revision(service, ""))?)));
            let newest = of_service.max_by_key(|(kept, _)| kept.metadata.creation_timestamp.clone());
            let before = newest.map(|(_, hash)| hash.to_owned());
            let shown = InForce { revision: revision.to_owned(), before };
            ledger.revisions.insert(service.to_string(), shown);
        }
    }
    ledger
}

/// The revision that a service's Deployment shows.
#[must_use]
pub fn shown_by<'a>(names: &Names, service: Service, observed: &'a Observed) -> Option<&'a str> {
    let deployment = observed.deployments.get(&names.service(service))?;
    deployment.annotations().get(REVISION).map(String::as_str)
}

fn image(template: &PodTemplateSpec) -> Option<String> {
    template.spec.as_ref()?.containers.first()?.image.clone()
}

fn in_use(spec: &EcommerceStackSpec, names: &Names, observed: &Observed) -> BTreeMap<String, BTreeSet<String>> {
    let known = wanted(names, spec).into_iter().filter(|wanted| is_known(names, &wanted.name, observed));
    known.map(|wanted| (wanted.name.clone(), wanted.irreplaceable().map(str::to_owned).collect())).collect()
}

/// Whether anything is there that knows what is in a Secret: a store as long as its volume is there, or, where somebody else runs it, once
/// it was told; pods for the rest.
#[must_use]
pub fn is_known(names: &Names, secret: &str, observed: &Observed) -> bool {
    let store = Backend::ALL.into_iter().find(|backend| names.backend(*backend) == secret);
    store.map_or(!observed.deployments.is_empty(), |store| {
        let was_told = !observed.credentials.get(&names.addresses(store), PRESENT).is_empty();
        observed.claim(store).is_some() || observed.stateful_sets.contains_key(secret) || was_told
    })
}
