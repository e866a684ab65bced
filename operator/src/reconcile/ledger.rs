//! The ledger that is kept, and how it is made anew from what runs where it is gone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::Service;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::ResourceExt as _;

use super::dereference::Observed;
use crate::build::revision::REVISION;
use crate::crd::EcommerceStackSpec;
use crate::credentials::wanted;
use crate::ledger::{Ledger, Pins};
use crate::names::{Backend, Names};
use crate::rollout::Shown;
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
    match observed.ledger.as_deref() {
        Some(text) => Ledger::parse(text),
        None => Ok(of_what_runs(spec, names, settings, observed)),
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
    }
    let is_named = |service: Service| {
        let said = spec.services.as_ref().and_then(|services| services.get(service));
        said.is_some_and(|said| said.image.is_some())
    };
    let running = Service::ALL.into_iter().filter(|service| !is_named(*service)).find_map(|service| {
        let deployment = observed.deployments.get(&names.service(service))?;
        let image = image(&deployment.spec.as_ref()?.template)?;
        let (registry, version) = image.rsplit_once(&format!("/{service}:"))?;
        Some((registry.to_owned(), version.to_owned()))
    });
    if let Some((registry, version)) = running {
        ledger.pins = Pins { version, registry, ..ledger.pins };
    }
    ledger.credentials = in_use(names, observed);
    for service in Service::ALL {
        if let Some(revision) = shown_by(names, service, observed) {
            let shown = Shown { revision: revision.to_owned(), before: None, generation: 0 };
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

/// A store knows its passwords as long as its volume is there; pods know the rest.
fn in_use(names: &Names, observed: &Observed) -> BTreeMap<String, BTreeSet<String>> {
    let knows = |secret: &str| {
        let store = Backend::ALL.into_iter().find(|backend| names.backend(*backend) == secret);
        store.map_or(!observed.deployments.is_empty(), |store| {
            observed.claims.contains_key(&store) || observed.stateful_sets.contains_key(secret)
        })
    };
    let in_use = wanted(names).into_iter().filter(|wanted| knows(&wanted.name));
    in_use.map(|wanted| (wanted.name, wanted.keys.into_iter().map(|(key, _)| key).collect())).collect()
}
