//! What the operator must know of a stack and nobody can tell it again: kept in the `ConfigMap` `<stack>-ledger`, which goes with the
//! data and not with the stack. The status is made from it and nothing is decided from the status.
//!
//! A ledger that somebody took away is made anew from what runs ([`crate::reconcile::ledger::of_what_runs`]): nothing rolls for that, and no
//! secret is made. To add an entry: a field with its meaning, and what it is where nothing tells.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{Deserialize, Serialize};

use crate::crd::MigrationStatus;
use crate::credentials::{Credentials, Wanted};
use crate::edge_keys::EdgeKeys;
use crate::names::Backend;
use crate::resolve::default_image;
use crate::rollout::{self, InForce};
use crate::settings::Settings;
use crate::store_form::StoreForm;

/// The entry of the `ConfigMap`.
pub const ENTRY: &str = "ledger.json";
/// The entry with the identifier of the server that has the data, for the container that would make another one.
pub const POSTGRES_SERVER: &str = "postgres-server";

/// Everything that is kept of one stack.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ledger {
    /// What a stack runs that names nothing: the operator's own when the stack was made. Another operator changes nothing.
    pub pins: Pins,
    /// The server that has the databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres: Option<Server>,
    /// What the databases were last provisioned from; another value provisions them again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioned_from: Option<String>,
    /// The last provisioning that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning_failure: Option<ProvisioningFailure>,
    /// The id in each service's database; another one is another database.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub databases: BTreeMap<String, String>,
    /// The last migration of each service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<MigrationStatus>,
    /// The keys of each Secret that a store or a pod knows: they are never made anew.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, BTreeSet<String>>,
    /// The keys of each edge, by its [name](crate::edge_keys::title).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub edges: BTreeMap<String, EdgeKeys>,
    /// What each service shows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub revisions: BTreeMap<String, InForce>,
    /// The generation of the spec that all services have come to show: another revision at the same one is asked for by another
    /// operator, and by no person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// What each store is made from.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stores: BTreeMap<String, StoreForm>,
    /// The upgrade that was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_upgrade: Option<rollout::Failure>,
}

/// The images of a stack that names none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pins {
    /// The version of the services.
    pub version: String,
    /// Where the services' images come from.
    pub registry: String,
    /// The image of each store.
    pub stores: BTreeMap<String, String>,
}

/// A PostgreSQL that the operator runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Server {
    /// The uid of its claim.
    pub claim: String,
    /// What stands for it: another one has other data.
    pub id: String,
    /// What it was last seen as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenServer>,
}

/// What a PostgreSQL says of itself when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenServer {
    /// Its system identifier, which `initdb` makes.
    pub identifier: String,
    /// Its major version.
    pub major: String,
    /// How far its log was written when it started, in bytes: where it starts before that, its volume was put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

impl SeenServer {
    /// Reads the last words of the container that initialises.
    #[must_use]
    pub fn parse(words: &str) -> Option<Self> {
        let mut words = words.split_whitespace();
        let (identifier, major) = (words.next()?, words.next()?);
        let position = words.next().and_then(log_position);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_number(identifier) && is_number(major) && words.next().is_none()).then(|| Self {
            identifier: identifier.to_owned(),
            major: major.to_owned(),
            position,
        })
    }

    /// Whether this is the server that was seen before, with what it had written then.
    fn goes_on(&self, before: &Self) -> bool {
        let is_behind = self.position.zip(before.position).is_some_and(|(now, then)| now < then);
        self.identifier == before.identifier && !is_behind
    }
}

/// PostgreSQL writes a position in its log as two halves in hexadecimal (`pg_lsn`).
fn log_position(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let half = |text| u32::from_str_radix(text, 16).ok().map(u64::from);
    Some(half(high)? << 32 | half(low)?)
}

/// Why the databases could not be provisioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvisioningFailure {
    /// What was to be provisioned.
    pub key: String,
    /// The end of the Job's log.
    pub message: String,
    /// When it is tried again.
    pub retry_at: Time,
    /// What stands for the databases that were found, where they are not those of before: whoever says it takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl Pins {
    /// Whether they do not say what every stack runs.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let has_stores = Backend::ALL.iter().all(|store| self.stores.contains_key(store.as_str()));
        self.version.is_empty() || self.registry.is_empty() || !has_stores
    }

    /// Those of a stack that is made today.
    #[must_use]
    pub fn of_today(settings: &Settings) -> Self {
        let stores = Backend::ALL.map(|backend| (backend.as_str().to_owned(), default_image(backend).to_owned()));
        Self {
            version: settings.services_version.clone(),
            registry: settings.services_registry.clone(),
            stores: stores.into(),
        }
    }
}

impl Ledger {
    /// Reads what is kept.
    ///
    /// # Errors
    /// When somebody has written something else there.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// As it is kept.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Takes in which server runs on this claim. One that says it is another, on the same claim, is one: its volume was emptied or
    /// exchanged. So is one that has not written yet what it had written before: its volume was put back, with the passwords and the
    /// tables of that day. Until it says anything it is taken for what it was.
    pub fn see_postgres(&mut self, claim: Option<&str>, seen: Option<SeenServer>) {
        let Some(claim) = claim else { return };
        let known = self.postgres.get_or_insert_default();
        if known.claim != claim {
            claim.clone_into(&mut known.claim);
            claim.clone_into(&mut known.id);
            // Of what came along nobody knows how far it was.
            known.seen.iter_mut().for_each(|seen| seen.position = None);
        }
        let Some(seen) = seen else { return };
        if known.seen.as_ref().is_some_and(|known| !seen.goes_on(known)) {
            let position = seen.position.map(|position| format!(".{position:x}")).unwrap_or_default();
            known.id = format!("{claim}.{}{position}", seen.identifier);
        }
        known.seen = Some(seen);
    }

    /// The keys of a Secret that are in use and no longer there.
    pub fn lost<'a>(&'a self, credentials: &'a Credentials, secret: &'a str) -> impl Iterator<Item = &'a str> {
        let used = self.credentials.get(secret).into_iter().flatten();
        used.map(String::as_str).filter(move |key| credentials.get(secret, key).is_empty())
    }

    /// From now on a Secret's keys are in use.
    pub fn uses(&mut self, wanted: &Wanted) {
        let keys = wanted.irreplaceable().map(str::to_owned);
        self.credentials.entry(wanted.name.clone()).or_default().extend(keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Kind;

    fn redis() -> Wanted {
        let keys = ["auth", "gateway"].map(|key| (key.to_owned(), Kind::Password)).to_vec();
        Wanted { name: "shop-redis".to_owned(), keys }
    }

    #[test]
    fn what_is_in_use_and_not_there_is_lost_and_nothing_else() {
        let (mut ledger, mut credentials) = (Ledger::default(), Credentials::default());
        credentials.insert("shop-redis", "auth", "there".to_owned());
        let lost = |ledger: &Ledger| ledger.lost(&credentials, "shop-redis").map(str::to_owned).collect::<Vec<_>>();
        assert!(lost(&ledger).is_empty());
        ledger.uses(&redis());
        assert_eq!(lost(&ledger), ["gateway"]);
        assert_eq!(Ledger::parse(&ledger.text()).unwrap(), ledger);
    }

    /// Looks at what is said on a claim, one after the other; each gives which server it is.
    fn looks_at_postgres() -> impl FnMut(&str, &str) -> String {
        let mut ledger = Ledger::default();
        move |claim, words| {
            ledger.see_postgres(Some(claim), SeenServer::parse(words));
            ledger.postgres.clone().unwrap().id
        }
    }

    #[test]
    fn a_server_that_says_it_is_another_is_one_and_one_that_says_nothing_is_not() {
        let mut see = looks_at_postgres();
        assert_eq!(see("a", ""), "a");
        assert_eq!(see("a", "7301 17"), "a", "its first word does not make it another");
        assert_eq!(see("a", "initdb: error"), "a");
        assert_eq!(see("a", "7302 17"), "a.7302", "an emptied volume");
        assert_eq!(see("a", "7302 17"), "a.7302");
        assert_eq!(see("b", ""), "b", "another volume");
        assert_eq!(see("b", "7302 17"), "b", "the data came along");
    }

    #[test]
    fn a_server_that_has_not_written_yet_what_it_wrote_is_another() {
        let mut see = looks_at_postgres();
        assert_eq!(see("a", "7301 17"), "a");
        assert_eq!(see("a", "7301 17 0/FFFFFF00"), "a");
        assert_eq!(see("a", "7301 17 0/FFFFFF00"), "a", "the same start");
        assert_eq!(see("a", "7301 17 1/00000028"), "a", "the next one");
        assert_eq!(see("a", "7301 17 0/FFFFFF00"), "a.7301.ffffff00", "its volume was put back");
        assert_eq!(see("a", "7301 17 0/FFFFFF80"), "a.7301.ffffff00", "and goes on from there");
        assert_eq!(see("b", "7301 17 0/FF"), "b", "another volume is another server anyway");
    }

    #[test]
    fn a_ledger_of_an_older_operator_reads_and_nonsense_does_not() {
        assert_eq!(Ledger::parse("{}").unwrap(), Ledger::default());
        for nonsense in ["", "null", r#"{"pins": 7}"#] {
            assert!(Ledger::parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
