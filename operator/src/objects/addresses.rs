//! How a store of others is reached: a Secret for each, with what the services are told. It holds what was tried and is in force beside
//! what is to be tried, so that a bad edit of the person's own Secret reaches no pod, not even one that is made anew.

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use k8s_openapi::api::core::v1::{EnvVar, KeyToPath, SecretVolumeSource, Volume, VolumeMount};

use super::container::{from_secret, mount, value};
use super::{Inputs, Manifest, secrets};
use crate::credentials::{Credentials, REFRESH_KEYS, WITH_REDIS};
use crate::external::{Access, Address, FINGERPRINT, Found, NEXT, PRESENT};
use crate::names::{Backend, Names};
use crate::resolve::Location;

/// The entry with the authorities, which is the name of their file in a pod.
const AUTHORITIES: &str = "ca.crt";

/// What the Secret of a store holds; nothing of one that the operator runs, or of which nothing is known.
#[must_use]
pub fn entries(names: &Names, store: Backend, location: &Location, salt: &str) -> BTreeMap<String, String> {
    let Some(theirs) = &location.theirs else { return BTreeMap::new() };
    let mut entries = BTreeMap::new();
    if let Some(next) = &theirs.next {
        entries.insert(NEXT.to_owned(), next.text());
        entries.insert(FINGERPRINT.to_owned(), next.fingerprint(salt));
    }
    if let Some(present) = &theirs.present {
        entries.insert(PRESENT.to_owned(), present.text());
        entries.extend(present.authorities.iter().map(|pem| (AUTHORITIES.to_owned(), pem.clone())));
        for service in Service::ALL.into_iter().filter(|service| stores_of(*service).contains(&store)) {
            let Some(Told { serve, migrate }) = Told::of(names, store, service, present) else { continue };
            let mut tell = |what: &str, address: Address| {
                entries.insert(format!("{service}.{what}url"), address.url());
                if matches!(present.access, Access::Others { .. }) {
                    entries.insert(format!("{service}.{what}password"), address.password.expose().to_owned());
                }
            };
            tell("", serve);
            if let Some(migrate) = migrate {
                tell("migrate-", migrate);
            }
        }
    }
    entries
}

/// What a service is told of a store.
pub(crate) struct Told {
    /// The login that serves.
    pub(crate) serve: Address,
    /// The login that migrates, where there is a database.
    pub(crate) migrate: Option<Address>,
}

impl Told {
    pub(crate) fn of(names: &Names, store: Backend, service: Service, found: &Found) -> Option<Self> {
        let server = match &found.access {
            Access::Others { serve, migrate } => {
                let serve = serve.get(service.as_str())?.clone();
                return Some(Self { serve, migrate: migrate.get(service.as_str()).cloned() });
            }
            Access::Shared { server, .. } => server,
        };
        let login = |login: String, path: String| {
            let said = Address::clone(server);
            Address { login, path, password: String::new().into(), ..said }
        };
        Some(match store {
            Backend::Postgres => Self {
                serve: login(names.service_login(service), names.database(service)),
                migrate: Some(login(names.migrate_login(service), names.database(service))),
            },
            Backend::Rabbitmq | Backend::Redis => {
                Self { serve: login(names.user(service), names.vhost()), migrate: None }
            }
        })
    }
}

/// The salt of fingerprints: nobody guesses it.
#[must_use]
pub fn salt<'a>(names: &Names, credentials: &'a Credentials) -> &'a str {
    credentials.get(&names.signing_key(), REFRESH_KEYS)
}

/// The Secrets of all stores of others.
pub(super) fn objects(inputs: &Inputs<'_>) -> Vec<Manifest> {
    let salt = salt(inputs.names, inputs.credentials);
    let of_store = |store: Backend| {
        let entries = entries(inputs.names, store, inputs.resolved.store(store), salt);
        (!entries.is_empty()).then(|| secrets::file_secret(inputs, inputs.names.addresses(store), entries))
    };
    Backend::ALL.into_iter().filter_map(of_store).collect()
}

/// The stores that a service works with.
#[must_use]
pub fn stores_of(service: Service) -> Vec<Backend> {
    let is_of = |store: &Backend| match store {
        Backend::Postgres => Service::WITH_DATABASE.contains(&service),
        Backend::Rabbitmq => Service::WITH_BROKER.contains(&service),
        Backend::Redis => WITH_REDIS.contains(&service),
    };
    Backend::ALL.into_iter().filter(is_of).collect()
}

/// Which login is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Serves,
    Migrates,
}

/// What a service is told of a store that somebody else runs: address, password, and whose certificates it believes. The password is
/// the operator's own where it has made the login, and stands then under this key.
pub(super) fn environment(
    inputs: &Inputs<'_>,
    store: Backend,
    service: Service,
    login: Login,
    own_password: &str,
) -> Option<Vec<EnvVar>> {
    let location = inputs.resolved.store(store);
    location.theirs.as_ref()?;
    let prefix = match store {
        Backend::Postgres => "DATABASE",
        Backend::Rabbitmq => "AMQP",
        Backend::Redis => "REDIS",
    };
    let what = match login {
        Login::Serves => "",
        Login::Migrates => "migrate-",
    };
    let addresses = inputs.names.addresses(store);
    let told = location.told();
    let mut environment = vec![from_secret(&format!("{prefix}_URL"), &addresses, &format!("{service}.{what}url"))];
    let password = format!("{prefix}_PASSWORD");
    match told.map(|told| &told.access) {
        Some(Access::Others { serve, .. }) => {
            let is_empty = serve.get(service.as_str()).is_some_and(|address| address.password.expose().is_empty());
            let key = format!("{service}.{what}password");
            // A Redis may let everybody in.
            environment.extend((!is_empty).then(|| from_secret(&password, &addresses, &key)));
        }
        Some(Access::Shared { .. }) | None => environment.push(from_secret(&password, &location.secret, own_password)),
    }
    if told.is_some_and(|told| told.authorities.is_some()) {
        environment.push(value(&format!("{prefix}_CA_FILE"), format!("{}/{AUTHORITIES}", directory(store))));
    }
    Some(environment)
}

fn directory(store: Backend) -> String {
    format!("/etc/ecommerce/{}", store.as_str())
}

/// The files that go with it.
pub(super) fn volume(inputs: &Inputs<'_>, store: Backend) -> Option<(Volume, VolumeMount)> {
    inputs.resolved.store(store).told()?.authorities.as_ref()?;
    let name = format!("{}-authorities", store.as_str());
    let source = SecretVolumeSource {
        secret_name: Some(inputs.names.addresses(store)),
        default_mode: Some(0o440),
        // Passwords are in it too, and the login that makes others.
        items: Some(vec![KeyToPath { key: AUTHORITIES.to_owned(), path: AUTHORITIES.to_owned(), mode: None }]),
        ..SecretVolumeSource::default()
    };
    let volume = Volume { name: name.clone(), secret: Some(source), ..Volume::default() };
    Some((volume, mount(&name, &directory(store), true)))
}

/// All that is read from files at the start of a service and not from its environment.
pub(super) fn authorities<'a>(inputs: &'a Inputs<'_>, service: Service) -> impl Iterator<Item = &'a str> {
    let told = stores_of(service).into_iter().filter_map(|store| inputs.resolved.store(store).told());
    told.filter_map(|told| told.authorities.as_deref())
}
