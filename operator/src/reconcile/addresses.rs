//! Where the stores of a stack are, and what its pods read of those that somebody else runs: what they are told from now on, beside what
//! those were told that are there or may come back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodSpec;

use super::dereference::Observed;
use crate::crd::EcommerceStackSpec;
use crate::credentials::Credentials;
use crate::external::{Password, Theirs, look};
use crate::ledger::Ledger;
use crate::names::{Backend, Names};
use crate::objects::Revision;
use crate::objects::addresses::{entries, read_by, salt};
use crate::resolve::{Location, Resolved};

/// Where each store is: one that the operator runs is looked for, one that somebody else runs is where their Secret says.
pub(super) fn locate(spec: &EcommerceStackSpec, names: &Names, ledger: &Ledger, observed: &Observed) -> Resolved {
    let mut theirs = look(spec, names, &observed.credentials);
    let pods = if theirs.is_empty() { Vec::new() } else { pods(observed) };
    Resolved::new(spec, &ledger.pins, |backend| match theirs.remove(&backend) {
        Some((theirs, _)) => {
            let kept = kept(&names.addresses(backend), &pods, &observed.credentials);
            Location::external(names, backend, Theirs { kept, ..theirs })
        }
        None => Location::embedded(names, backend, observed.store(names, ledger, backend)),
    })
}

/// All pods that may start: those that run, what a service shows and what it would go back to, and Jobs.
fn pods(observed: &Observed) -> Vec<Cow<'_, PodSpec>> {
    let running = observed.pods.iter().filter_map(|pod| pod.spec.as_ref());
    let shown = observed.deployments.values().filter_map(|deployment| deployment.spec.as_ref()?.template.spec.as_ref());
    let jobs = observed.jobs.values().filter_map(|job| job.spec.as_ref()?.template.spec.as_ref());
    let before = observed.revisions.values().filter_map(|kept| Revision::read("", kept)?.template.spec);
    running.chain(shown).chain(jobs).map(Cow::Borrowed).chain(before.map(Cow::Owned)).collect()
}

/// What of a Secret these pods read by name.
fn kept(secret: &str, pods: &[Cow<'_, PodSpec>], credentials: &Credentials) -> BTreeMap<String, Password> {
    let read = pods.iter().flat_map(|pod| read_by(pod, secret));
    let texts = read.map(|entry| (entry.to_owned(), credentials.get(secret, entry).to_owned()));
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
