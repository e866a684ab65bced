//! What each store is made from: what the spec has last asked for that it could have, which is not always what it asks for now.
//!
//! A `StatefulSet` of one pod takes that pod away before it makes another. So what can not be had is never asked of it, and where
//! the new pod never comes to touch the data, for its image is nowhere or no node takes it, the store is made again as it served
//! before. It stays so until the spec asks for something else or a person says [`RETRY_ANNOTATION`]. Pure.
//!
//! [`RETRY_ANNOTATION`]: crate::rollout::RETRY_ANNOTATION

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

use crate::crd::{EcommerceStackSpec, EmbeddedStore, Store};
use crate::names::{Backend, short_hash};

/// The form that is in force, as the ledger keeps it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoreForm {
    /// What the pod is made from, its volume aside.
    pub made_from: EmbeddedStore,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Whether it has served so.
    pub has_served: bool,
    /// The last one that has served, where this one has not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<EmbeddedStore>,
    /// What was tried and taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailedForm>,
}

/// A form whose pod did not start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedForm {
    /// What was asked for.
    pub asked: EmbeddedStore,
    /// What [`RETRY_ANNOTATION`](crate::rollout::RETRY_ANNOTATION) said then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
    /// What kept its pod from starting.
    pub message: String,
}

/// What is known of one store.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What the spec asks for, the volume aside.
    pub asked: EmbeddedStore,
    /// Whether it is something that can not be had.
    pub cannot_be: bool,
    /// Whether its pod serves in the form that is in force.
    pub serves: bool,
    /// Why the pod of that form does not come to touch the data.
    pub never_starts: Option<String>,
    /// What the retry annotation says.
    pub retry: Option<String>,
    /// The time.
    pub now: Time,
}

/// Decides what a store is made from; nothing where it has never been made and can not be as it is asked for.
#[must_use]
pub fn decide(present: Option<StoreForm>, seen: Seen) -> Option<StoreForm> {
    let Seen { asked, cannot_be, serves, never_starts, retry, now } = seen;
    let Some(mut form) = present else {
        return (!cannot_be).then(|| StoreForm { made_from: asked, since: Some(now), ..StoreForm::default() });
    };
    if serves {
        (form.has_served, form.before) = (true, None);
    }
    if form.failure.as_ref().is_some_and(|failure| failure.asked != asked || failure.retry != retry) {
        form.failure = None;
    }
    if let Some(message) = never_starts
        && let Some(before) = form.before.take()
    {
        let failed = std::mem::replace(&mut form.made_from, before);
        (form.has_served, form.since) = (true, Some(now.clone()));
        form.failure = Some(FailedForm { asked: failed, retry, message }).filter(|failure| failure.asked == asked);
    }
    if form.failure.is_none() && !cannot_be && form.made_from != asked {
        let last = std::mem::replace(&mut form.made_from, asked);
        if form.has_served {
            form.before = Some(last);
        }
        (form.has_served, form.since) = (false, Some(now));
        form.before = form.before.filter(|before| *before != form.made_from);
    }
    Some(form)
}

impl StoreForm {
    /// Stands for it on its `StatefulSet`.
    #[must_use]
    pub fn hash(&self) -> String {
        short_hash([serde_json::to_string(&self.made_from).unwrap_or_default().as_str()])
    }
}

/// What a spec asks of a store, its volume aside.
#[must_use]
pub fn asked(spec: &EcommerceStackSpec, store: Backend) -> EmbeddedStore {
    let embedded = spec.store(store).and_then(|store| store.embedded.clone()).unwrap_or_default();
    EmbeddedStore { storage: None, ..embedded }
}

/// The forms of a stack that is made today.
#[must_use]
pub fn as_asked(spec: &EcommerceStackSpec) -> BTreeMap<String, StoreForm> {
    let form = |store| StoreForm { made_from: asked(spec, store), ..StoreForm::default() };
    spec.embedded().map(|store| (store.as_str().to_owned(), form(store))).collect()
}

/// The spec with every store as it is in force.
#[must_use]
pub fn in_force<'a>(
    spec: &EcommerceStackSpec,
    mut form: impl FnMut(Backend) -> Option<&'a StoreForm>,
) -> EcommerceStackSpec {
    let mut spec = spec.clone();
    let embedded: Vec<Backend> = spec.embedded().collect();
    for backend in embedded {
        let Some(form) = form(backend) else { continue };
        let storage = spec.store(backend).and_then(|store| store.embedded.as_ref()?.storage.clone());
        let store = Store { embedded: Some(EmbeddedStore { storage, ..form.made_from.clone() }), external: None };
        match backend {
            Backend::Postgres => spec.postgres = Some(store),
            Backend::Rabbitmq => spec.rabbitmq = Some(store),
            Backend::Redis => spec.redis = Some(store),
        }
    }
    spec
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn image(name: &str) -> EmbeddedStore {
        EmbeddedStore { image: Some(name.to_owned()), ..EmbeddedStore::default() }
    }

    /// A store that is looked at again and again.
    #[derive(Default)]
    struct Looks {
        form: Option<StoreForm>,
        retry: Option<String>,
    }

    impl Looks {
        fn look(&mut self, asked: &str, change: impl FnOnce(&mut Seen)) -> &str {
            let mut seen = Seen {
                asked: image(asked),
                cannot_be: false,
                serves: false,
                never_starts: None,
                retry: self.retry.clone(),
                now: Time(Timestamp::UNIX_EPOCH),
            };
            change(&mut seen);
            self.form = decide(self.form.take(), seen);
            self.form.as_ref().and_then(|form| form.made_from.image.as_deref()).unwrap_or_default()
        }

        fn serve(&mut self, asked: &str) -> &str {
            self.look(asked, |seen| seen.serves = true)
        }

        fn fail(&mut self, asked: &str) -> &str {
            self.look(asked, |seen| seen.never_starts = Some("its image is nowhere".to_owned()))
        }

        fn failure(&self) -> Option<&FailedForm> {
            self.form.as_ref().and_then(|form| form.failure.as_ref())
        }
    }

    #[test]
    fn what_can_not_be_had_is_never_asked_for() {
        let mut looks = Looks::default();
        assert_eq!(looks.look("bad", |seen| seen.cannot_be = true), "", "nothing is made of it either");
        assert_eq!(looks.look("1", |_| ()), "1");
        assert_eq!(looks.look("bad", |seen| seen.cannot_be = true), "1");
        assert_eq!(looks.look("2", |_| ()), "2");
    }

    #[test]
    fn what_never_starts_goes_back_to_what_served_until_the_spec_or_a_person_says_otherwise() {
        let mut looks = Looks::default();
        looks.look("1", |_| ());
        looks.serve("1");
        assert_eq!(looks.look("typo", |_| ()), "typo");
        assert_eq!(looks.fail("typo"), "1");
        assert_eq!(looks.failure().unwrap().message, "its image is nowhere");
        for _ in 0..2 {
            assert_eq!(looks.serve("typo"), "1", "what went back stays back");
        }
        looks.retry = Some("now".to_owned());
        assert_eq!(looks.serve("typo"), "typo");
        assert_eq!(looks.fail("typo"), "1");
        assert_eq!(looks.serve("2"), "2");
        assert_eq!(looks.failure(), None);
        assert_eq!(looks.serve("2"), "2");
        assert_eq!(looks.fail("2"), "2", "one that has served has nothing to go back to");
    }

    #[test]
    fn what_is_mended_before_it_was_taken_back_is_tried_at_once() {
        let mut looks = Looks::default();
        looks.look("1", |_| ());
        looks.serve("1");
        looks.look("typo", |_| ());
        assert_eq!(looks.fail("2"), "2", "nobody asks for the typo any more");
        assert_eq!(looks.failure(), None);
        assert_eq!(looks.fail("2"), "1");
    }

    #[test]
    fn a_first_form_that_never_starts_has_nothing_to_go_back_to() {
        let mut looks = Looks::default();
        looks.look("typo", |_| ());
        assert_eq!(looks.fail("typo"), "typo");
        assert_eq!(looks.look("another", |_| ()), "another");
        assert_eq!(looks.fail("another"), "another");
        assert_eq!(looks.look("1", |_| ()), "1");
    }

    #[test]
    fn a_form_that_is_asked_for_again_is_not_what_to_go_back_to() {
        let mut looks = Looks::default();
        looks.look("1", |_| ());
        looks.serve("1");
        looks.look("2", |_| ());
        assert_eq!(looks.look("1", |_| ()), "1");
        assert_eq!(looks.fail("1"), "1");
        assert_eq!(looks.failure(), None);
    }
}
