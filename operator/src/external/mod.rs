//! Stores that somebody else runs: what a person's Secret says of one, as the services are told it. Pure.
//!
//! The keys are those of the service binding specification (v1.1.0, "well-known Secret entries"), and those that CloudNativePG
//! and RabbitMQ's cluster operator write. What is not right is a [`Fault`] that names the key; nothing is guessed. To add a key: its
//! aliases in `secret.rs`, and its row in the tests here.

pub mod address;
mod fault;
mod secret;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::crd::EcommerceStackSpec;
use crate::credentials::Credentials;
use crate::names::{Backend, Names, short_hash};

pub use address::{Address, Malformed, Password, Protocol};
pub use fault::Fault;
pub use secret::found;

/// The entry, in the Secret of what the services are told, with what is in force.
pub const PRESENT: &str = "present.json";
/// The entry with what is to be tried.
pub const NEXT: &str = "next.json";
/// The entry that stands for that: a Job that was made for another one tries nothing.
pub const FINGERPRINT: &str = "next.fingerprint";

/// What a Secret says of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The Secret.
    pub secret: String,
    /// Whose signature on the server's certificate is believed, in PEM. Absent: the public authorities'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<String>,
    /// Who may do what there.
    pub access: Access,
}

/// Who may do what in a store of others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// One login, which makes the stack's own.
    Shared {
        /// The login.
        server: Box<Address>,
        /// Where RabbitMQ is managed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        management: Option<Box<Address>>,
    },
    /// The logins of the services, as somebody else has made them.
    Others {
        /// With which each serves.
        serve: BTreeMap<String, Address>,
        /// With which each migrates its database.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        migrate: BTreeMap<String, Address>,
    },
}

/// A store that somebody else runs: what was said of it and was tried, and what is said now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theirs {
    /// What is in force: every login was tried.
    pub present: Option<Found>,
    /// What is to be tried; the same, where nothing new was said, or nothing that is right.
    pub next: Option<Found>,
    /// What pods were told that are still there or may come back, by the name of its entry.
    pub kept: BTreeMap<String, Password>,
}

impl Theirs {
    /// What is said now, and what was in force at the last look.
    #[must_use]
    pub fn new(said: Option<Found>, present: Option<Found>) -> Self {
        let next = said.or_else(|| present.clone());
        Self { present, next, kept: BTreeMap::new() }
    }

    /// What the services are told, once they are told anything.
    #[must_use]
    pub fn told(&self) -> Option<&Found> {
        self.present.as_ref().or(self.next.as_ref())
    }
}

/// What is known of the stores of others: what is in force, as it was kept, and what is said now or what is wrong with that.
#[must_use]
pub fn look(
    spec: &EcommerceStackSpec,
    names: &Names,
    credentials: &Credentials,
) -> BTreeMap<Backend, (Theirs, Option<Fault>)> {
    let of_store = |store: Backend| {
        let present = Found::read(credentials.get(&names.addresses(store), PRESENT));
        let (said, fault) = match found(store, spec.external(store)?, credentials) {
            Ok(said) => (Some(said), None),
            Err(fault) => (None, Some(fault)),
        };
        Some((store, (Theirs::new(said, present), fault)))
    };
    Backend::ALL.into_iter().filter_map(of_store).collect()
}

impl Found {
    /// Everywhere that it leads to, host and port.
    #[must_use]
    pub fn everywhere(&self) -> String {
        let mut all: Vec<String> = match &self.access {
            Access::Shared { server, .. } => vec![server.authority()],
            Access::Others { serve, .. } => serve.values().map(Address::authority).collect(),
        };
        all.dedup();
        all.join(", ")
    }

    /// Stands for all of it. The salt keeps whoever sees it from trying passwords on it.
    #[must_use]
    pub fn fingerprint(&self, salt: &str) -> String {
        short_hash([self.text().as_str(), salt])
    }

    /// As it is kept.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what was kept; nothing where it is something else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests;
