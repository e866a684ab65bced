//! Where the stores of a stack are, and what its pods read of those that somebody else runs: what they are told from now on, beside what
//! those were told that are there or may come back.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodSpec;

use super::dereference::Observed;
use crate::crd::EcommerceStackSpec;
use crate::external::{Password, Theirs, look};
use crate::ledger::Ledger;
use crate::names::{Backend, Names};
use crate::objects::Revision;
use crate::objects::addresses::{entries, read_by, salt};
use crate::resolve::{Location, Resolved};

/// Where each store is: one that the operator runs is looked for, one that somebody else runs is where their Secret says.
pub(super) fn locate(spec: &EcommerceStackSpec, names: &Names, ledger: &Ledger, observed: &Observed) -> Resolved {
    let mut theirs = look(spec, names, &observed.credentials);
    Resolved::new(spec, &ledger.pins, |backend| match theirs.remove(&backend) {
        Some((theirs, _)) => {
            let kept = kept(&names.addresses(backend), observed);
            Location::external(names, backend, Theirs { kept, ..theirs })
        }
        None => Location::embedded(names, backend, observed.store(names, ledger, backend)),
    })
}

/// What of a Secret anything reads by name that may start a pod: what runs, what a service shows and what it would go back to.
fn kept(secret: &str, observed: &Observed) -> BTreeMap<String, Password> {
    let running = observed.pods.iter().filter_map(|pod| pod.spec.as_ref());
    let shown = observed.deployments.values().filter_map(|deployment| deployment.spec.as_ref()?.template.spec.as_ref());
    let jobs = observed.jobs.values().filter_map(|job| job.spec.as_ref()?.template.spec.as_ref());
    let before: Vec<PodSpec> =
        observed.revisions.values().filter_map(|kept| Revision::read("", kept)?.template.spec).collect();
    let read = running.chain(shown).chain(jobs).chain(&before).flat_map(|pod| read_by(pod, secret));
    let texts = read.map(|entry| (entry.to_owned(), observed.credentials.get(secret, entry).to_owned()));
    texts.filter(|(_, text)| !text.is_empty()).map(|(entry, text)| (entry, text.into())).collect()
}

/// What pods read of the stores of others from now on, which is not always what was there when it was looked at.
pub(super) fn tell(observed: &mut Observed, names: &Names, resolved: &Resolved) {
    let salt = salt(names, &observed.credentials).to_owned();
    for store in Backend::ALL {
        let secret = names.addresses(store);
        let entries = entries(names, store, resolved.store(store), &salt);
        observed.credentials.forget(&secret);
        for (key, value) in entries {
            observed.credentials.insert(&secret, &key, value);
        }
    }
}
