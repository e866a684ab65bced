//! The secrets of a stack: which there are, how one is made, and what is derived from them.
//!
//! A secret is made once. A reconcile reads what is there and makes only what is absent; it never makes one anew, because the
//! stores and the pods already know the old one. What a person puts in its place is looked at in [`crate::credential_fault`]. To
//! add one: an entry in [`wanted`], and a getter.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ecommerce_contract::Service;
use ecommerce_contract::edges::EDGES;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, KeypairBytes};
use rand::distr::{Alphanumeric, SampleString as _};
use rand::{CryptoRng, RngExt as _};
use sha2::{Digest as _, Sha256};

use crate::crd::{EcommerceStackSpec, Keeper};
use crate::names::{Backend, Names, api_key_entry};

/// The services that keep something in Redis.
pub const WITH_REDIS: [Service; 3] = [Service::Auth, Service::Gateway, Service::Product];

/// The key of the superuser's password in PostgreSQL's Secret.
pub const SUPERUSER: &str = "superuser";
/// The key of the key that signs access tokens, which is also its file name in the pod. A person may put `next.pem` and
/// `previous.pem` beside it.
pub const SIGNING_KEY: &str = "present.pem";
/// The key of the keys of refresh tokens, a line each, which is also their file name in the pod.
pub const REFRESH_KEYS: &str = "refresh-keys";
/// The key of the administrator's address.
pub const ADMIN_EMAIL: &str = "email";
/// The key of the administrator's password.
pub const ADMIN_PASSWORD: &str = "password";

/// What kind of secret stands under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 32 letters and digits: 190 bits.
    Password,
    /// As a password; the server takes it over at each start, so one that is gone is made anew.
    Superuser,
    /// The same, of a login at PostgreSQL, which takes fewer characters.
    DatabasePassword,
    /// The same, of a person, who types it.
    AdminPassword,
    /// The same, which nothing is opened with: one that is gone is made anew.
    Salt,
    /// 43 letters and digits: 256 bits, so that an unsalted hash of it tells nothing.
    ApiKey,
    /// Keys of that kind, a line each. One is made; a person puts others beside it.
    RefreshKeys,
    /// An Ed25519 key, PKCS#8 in PEM.
    SigningKey,
}

/// A Secret of the stack and what it must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The Secret's name.
    pub name: String,
    /// Its keys.
    pub keys: Vec<(String, Kind)>,
}

impl Wanted {
    /// The keys that are not made anew once they are in use.
    pub fn irreplaceable(&self) -> impl Iterator<Item = &str> {
        let kept = self.keys.iter().filter(|(_, kind)| ![Kind::Superuser, Kind::Salt].contains(kind));
        kept.map(|(key, _)| key.as_str())
    }
}

/// The key of a login's password in PostgreSQL's Secret: the login that serves.
#[must_use]
pub fn service_login_key(service: Service) -> String {
    format!("{service}-login")
}

/// The key of a login's password in PostgreSQL's Secret: the login that migrates.
#[must_use]
pub fn migrate_login_key(service: Service) -> String {
    format!("{service}-migrate")
}

/// The key in the Secret of the salt.
pub const SALT: &str = "salt";
/// The key of the seal in a store's Secret: what is this stack's on a server that others use too is told by it.
pub const SEAL: &str = "seal";

/// All secrets of a stack of this spec: those of what it keeps itself.
#[must_use]
pub fn wanted(names: &Names, spec: &EcommerceStackSpec) -> Vec<Wanted> {
    let all = |keys: Vec<String>, kind| keys.into_iter().map(|key| (key, kind)).collect::<Vec<_>>();
    let passwords = |keys| all(keys, Kind::Password);
    let database_logins =
        Service::WITH_DATABASE.into_iter().flat_map(|service| [migrate_login_key(service), service_login_key(service)]);
    let logins = all(database_logins.collect(), Kind::DatabasePassword);
    let of_postgres = match spec.keeper(Backend::Postgres) {
        Keeper::Operator => [vec![(SUPERUSER.to_owned(), Kind::Superuser)], logins].concat(),
        Keeper::Shared => [vec![(SEAL.to_owned(), Kind::Password)], logins].concat(),
        Keeper::Others => Vec::new(),
    };
    let of_rabbitmq = passwords(Service::WITH_BROKER.map(|service| service.to_string()).to_vec());
    let of_rabbitmq = match spec.keeper(Backend::Rabbitmq) {
        Keeper::Operator => of_rabbitmq,
        Keeper::Shared => [vec![(SEAL.to_owned(), Kind::Password)], of_rabbitmq].concat(),
        Keeper::Others => Vec::new(),
    };
    let of_redis = match spec.keeper(Backend::Redis) {
        Keeper::Operator => passwords(WITH_REDIS.map(|service| service.to_string()).to_vec()),
        Keeper::Shared | Keeper::Others => Vec::new(),
    };
    let of_stores = [(Backend::Postgres, of_postgres), (Backend::Rabbitmq, of_rabbitmq), (Backend::Redis, of_redis)];
    let of_stores = of_stores.into_iter().filter(|(_, keys)| !keys.is_empty());
    let mut wanted: Vec<Wanted> = of_stores.map(|(store, keys)| Wanted { name: names.backend(store), keys }).collect();
    if Backend::ALL.into_iter().any(|store| spec.external(store).is_some()) {
        wanted.push(Wanted { name: names.salt(), keys: vec![(SALT.to_owned(), Kind::Salt)] });
    }
    wanted.extend([
        Wanted {
            name: names.signing_key(),
            keys: vec![(SIGNING_KEY.to_owned(), Kind::SigningKey), (REFRESH_KEYS.to_owned(), Kind::RefreshKeys)],
        },
        Wanted { name: names.admin(), keys: vec![(ADMIN_PASSWORD.to_owned(), Kind::AdminPassword)] },
    ]);
    for caller in Service::ALL {
        let keys: Vec<_> = EDGES
            .iter()
            .filter(|edge| edge.caller == caller)
            .map(|edge| (api_key_entry(*edge).to_owned(), Kind::ApiKey))
            .collect();
        if !keys.is_empty() {
            wanted.push(Wanted { name: names.api_keys(caller), keys });
        }
    }
    wanted
}

/// Makes a secret.
pub fn generate(kind: Kind, random: &mut impl CryptoRng) -> String {
    match kind {
        Kind::Password | Kind::DatabasePassword | Kind::Superuser | Kind::AdminPassword | Kind::Salt => {
            Alphanumeric.sample_string(random, 32)
        }
        Kind::ApiKey | Kind::RefreshKeys => Alphanumeric.sample_string(random, 43),
        Kind::SigningKey => {
            // Without the public half: the form that OpenSSL writes and everything reads.
            let key = KeypairBytes { secret_key: random.random(), public_key: None };
            key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).unwrap_or_default()
        }
    }
}

/// Secrets by the name of their Secret and their key. Does not print.
#[derive(Clone, Default)]
pub struct Credentials {
    texts: BTreeMap<String, BTreeMap<String, String>>,
    /// The Secrets and keys whose bytes are no text; what is kept only stands for them.
    no_text: BTreeSet<(String, String)>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.texts.keys()).finish()
    }
}

impl Credentials {
    /// Takes in what stands under a key.
    pub fn insert(&mut self, secret: &str, key: &str, value: String) {
        self.no_text.remove(&(secret.to_owned(), key.to_owned()));
        self.texts.entry(secret.to_owned()).or_default().insert(key.to_owned(), value);
    }

    /// Takes in the bytes that a Secret holds under a key.
    pub fn read(&mut self, secret: &str, key: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let is_text = matches!(text, Cow::Borrowed(_));
        self.insert(secret, key, text.into_owned());
        if !is_text {
            self.no_text.insert((secret.to_owned(), key.to_owned()));
        }
    }

    /// Whether what stands under a key is text, as everything that reads it wants it.
    #[must_use]
    pub fn is_text(&self, secret: &str, key: &str) -> bool {
        !self.no_text.contains(&(secret.to_owned(), key.to_owned()))
    }

    /// Whether anything of this Secret was read.
    #[must_use]
    pub fn has(&self, secret: &str) -> bool {
        self.texts.contains_key(secret)
    }

    /// Takes in a Secret that may hold nothing.
    pub fn saw(&mut self, secret: &str) {
        self.texts.entry(secret.to_owned()).or_default();
    }

    /// Forgets everything of a Secret.
    pub fn forget(&mut self, secret: &str) {
        self.texts.remove(secret);
        self.no_text.retain(|(of, _)| of != secret);
    }

    /// A secret; empty where there is none, which nothing accepts.
    #[must_use]
    pub fn get(&self, secret: &str, key: &str) -> &str {
        self.texts.get(secret).and_then(|entries| entries.get(key)).map_or("", String::as_str)
    }

    /// What a Secret lacks.
    #[must_use]
    pub fn missing(&self, wanted: &Wanted) -> Vec<(String, Kind)> {
        wanted.keys.iter().filter(|(key, _)| self.get(&wanted.name, key).is_empty()).cloned().collect()
    }

    /// Everything in a Secret, in the order of its keys.
    pub fn values<'a>(&'a self, secret: &str) -> impl Iterator<Item = &'a str> {
        self.texts.get(secret).into_iter().flatten().map(|(_, value)| value.as_str())
    }
}

/// The SHA-256 of a text in hexadecimal.
#[must_use]
pub fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A password as RabbitMQ keeps it (`rabbit_password_hashing_sha256`): four bytes of salt before the hash of salt and
/// password, in base64. The salt comes from the user and the password, so that the same ones give the same file.
#[must_use]
pub fn rabbit_password_hash(user: &str, password: &str) -> String {
    let seed = Sha256::digest(format!("{user}\n{password}"));
    let salt = &seed[..4];
    let hash = Sha256::new().chain_update(salt).chain_update(password).finalize();
    BASE64_STANDARD.encode([salt, hash.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use ed25519_dalek::pkcs8::DecodePrivateKey as _;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_generated_signing_key_is_read_back() {
        let pem = generate(Kind::SigningKey, &mut StdRng::seed_from_u64(1));
        assert!(SigningKey::from_pkcs8_pem(&pem).is_ok());
    }

    #[test]
    fn only_what_is_absent_is_missing() {
        let names = Names::new("default", "shop");
        let redis = wanted(&names, &EcommerceStackSpec::default())
            .into_iter()
            .find(|wanted| wanted.name == "shop-redis")
            .unwrap();
        let mut credentials = Credentials::default();
        credentials.insert("shop-redis", "auth", "kept".to_owned());
        let missing: Vec<_> = credentials.missing(&redis).into_iter().map(|(key, _)| key).collect();
        assert_eq!(missing, ["gateway", "product"]);
    }

    #[test]
    fn rabbit_reads_its_salt_from_the_front_of_the_hash() {
        let hash = BASE64_STANDARD.decode(rabbit_password_hash("order", "secret")).unwrap();
        let expected = Sha256::new().chain_update(&hash[..4]).chain_update("secret").finalize();
        assert_eq!(&hash[4..], expected.as_slice());
    }

    #[test]
    fn secrets_do_not_print() {
        let mut credentials = Credentials::default();
        credentials.insert("shop-admin", "password", "hunter2".to_owned());
        assert_eq!(format!("{credentials:?}"), r#"{"shop-admin"}"#);
    }
}
