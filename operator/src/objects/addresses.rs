//! How a store of others is reached: a Secret for each, with what the services are told. It holds what was tried and is in force beside
//! what is to be tried, so that a bad edit of the person's own Secret reaches no pod, not even one that is made anew.
//!
//! What a pod reads there never changes: the name of an entry stands for what is in it. So another address is another revision, which rolls
//! in its order and has a way back, and a pod of before that starts once more starts with what it was told, certificates and all.

use std::collections::BTreeMap;

use ecommerce_contract::Service;
use k8s_openapi::api::core::v1::{EnvVar, KeyToPath, PodSpec, SecretVolumeSource, Volume, VolumeMount};

use super::container::{from_secret, mount, value};
use super::{Inputs, Manifest, secrets};
use crate::credentials::{Credentials, SALT, WITH_REDIS};
use crate::external::{Access, Address, FINGERPRINT, Found, NEXT, PRESENT};
use crate::names::{Backend, Names, short_hash};
use crate::resolve::Location;

/// The file with the authorities in a pod, and how the name of its entry begins.
const AUTHORITIES: &str = "ca.crt";

/// What the Secret of a store holds; nothing of one that the operator runs, or of which nothing is known.
#[must_use]
pub fn entries(names: &Names, store: Backend, location: &Location, salt: &str) -> BTreeMap<String, String> {
    let Some(theirs) = &location.theirs else { return BTreeMap::new() };
    let mut entries: BTreeMap<_, _> =
        theirs.kept.iter().map(|(entry, text)| (entry.clone(), text.expose().to_owned())).collect();
    if let Some(next) = &theirs.next {
        entries.insert(NEXT.to_owned(), next.text());
        entries.insert(FINGERPRINT.to_owned(), next.fingerprint(salt));
    }
    if let Some(present) = &theirs.present {
        entries.insert(PRESENT.to_owned(), present.text());
        let of_services = Service::ALL.into_iter().filter(|service| stores_of(*service).contains(&store));
        let told =
            of_services.filter_map(|service| Told::of(names, store, service, present)).flat_map(Told::into_texts);
        let authorities = present.authorities.iter().map(|pem| (AUTHORITIES.to_owned(), pem.clone()));
        entries.extend(told.chain(authorities).map(|(what, text)| (entry(&what, &text, salt), text)));
    }
    entries
}

/// The name of the entry that tells this. The salt keeps whoever reads it in a pod's template from trying passwords on it.
fn entry(what: &str, text: &str, salt: &str) -> String {
    format!("{what}.{}", short_hash([what, text, salt]))
}

/// The entries of this Secret that a pod reads by their names.
pub fn read_by<'a>(pod: &'a PodSpec, secret: &'a str) -> impl Iterator<Item = &'a str> {
    let variables = pod.containers.iter().flat_map(|container| container.env.iter().flatten());
    let of_variables = variables.filter_map(|variable| variable.value_from.as_ref()?.secret_key_ref.as_ref());
    let of_variables = of_variables.filter(move |read| read.name == secret).map(|read| read.key.as_str());
    let volumes = pod.volumes.iter().flatten().filter_map(|volume| volume.secret.as_ref());
    let mounted = volumes.filter(move |volume| volume.secret_name.as_deref() == Some(secret));
    of_variables.chain(mounted.flat_map(|volume| volume.items.iter().flatten().map(|item| item.key.as_str())))
}

/// What a service is told of a store.
struct Told {
    service: Service,
    /// The login that serves.
    serve: Address,
    /// The login that migrates, where there is a database.
    migrate: Option<Address>,
    /// Whether somebody else has made the logins, and so their passwords.
    of_others: bool,
}

impl Told {
    fn of(names: &Names, store: Backend, service: Service, found: &Found) -> Option<Self> {
        let server = match &found.access {
            Access::Others { serve, migrate } => {
                let serve = serve.get(service.as_str())?.clone();
                let migrate = migrate.get(service.as_str()).cloned();
                return Some(Self { service, serve, migrate, of_others: true });
            }
            Access::Shared { server, .. } => server,
        };
        let login = |login: String, path: String| {
            let said = Address::clone(server);
            Address { login, path, password: String::new().into(), ..said }
        };
        let (serve, migrate) = match store {
            Backend::Postgres => {
                let database = names.database(service);
                let migrate = login(names.migrate_login(service), database.clone());
                (login(names.service_login(service), database), Some(migrate))
            }
            Backend::Rabbitmq | Backend::Redis => (login(names.user(service), names.vhost()), None),
        };
        Some(Self { service, serve, migrate, of_others: false })
    }

    fn address(&self, login: Login) -> Option<&Address> {
        match login {
            Login::Serves => Some(&self.serve),
            Login::Migrates => self.migrate.as_ref(),
        }
    }

    /// Where it goes as whom, and what that is called.
    fn url(&self, login: Login) -> Option<(String, String)> {
        Some((format!("{}.{}url", self.service, login.prefix()), self.address(login)?.url()))
    }

    /// The password of a login that somebody else has made, and what that is called; none where everybody is let in, as a Redis may.
    fn password(&self, login: Login) -> Option<(String, String)> {
        let password = self.address(login).filter(|_| self.of_others)?.password.expose();
        let is_one = !password.is_empty();
        is_one.then(|| (format!("{}.{}password", self.service, login.prefix()), password.to_owned()))
    }

    fn into_texts(self) -> Vec<(String, String)> {
        let logins = [Login::Serves, Login::Migrates].into_iter();
        logins.flat_map(|login| [self.url(login), self.password(login)]).flatten().collect()
    }
}

/// The salt of whatever stands for what is said of a store of others: nobody guesses it.
#[must_use]
pub fn salt<'a>(names: &Names, credentials: &'a Credentials) -> &'a str {
    credentials.get(&names.salt(), SALT)
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

impl Login {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Serves => "",
            Self::Migrates => "migrate-",
        }
    }
}

/// What a service is told of a store that somebody else runs: address, password, and whose certificates it believes. The password is
/// the operator's own where it has made the login, and stands then under this key. `None` of a store of the operator's own; nothing while
/// nobody has said where it is.
pub(super) fn environment(
    inputs: &Inputs<'_>,
    store: Backend,
    service: Service,
    login: Login,
    own_password: &str,
) -> Option<Vec<EnvVar>> {
    let location = inputs.resolved.store(store);
    location.theirs.as_ref()?;
    let Some(found) = location.told() else { return Some(Vec::new()) };
    let told = Told::of(inputs.names, store, service, found)?;
    let prefix = match store {
        Backend::Postgres => "DATABASE",
        Backend::Rabbitmq => "AMQP",
        Backend::Redis => "REDIS",
    };
    let (addresses, salt) = (inputs.names.addresses(store), salt(inputs.names, inputs.credentials));
    let variable = |name: &str, (what, text): (String, String)| {
        from_secret(&format!("{prefix}_{name}"), &addresses, &entry(&what, &text, salt))
    };
    let mut environment: Vec<_> = told.url(login).into_iter().map(|url| variable("URL", url)).collect();
    if told.of_others {
        environment.extend(told.password(login).map(|password| variable("PASSWORD", password)));
    } else {
        environment.push(from_secret(&format!("{prefix}_PASSWORD"), &location.secret, own_password));
    }
    if found.authorities.is_some() {
        environment.push(value(&format!("{prefix}_CA_FILE"), format!("{}/{AUTHORITIES}", directory(store))));
    }
    Some(environment)
}

fn directory(store: Backend) -> String {
    format!("/etc/ecommerce/{}", store.as_str())
}

/// The files that go with it.
pub(super) fn volume(inputs: &Inputs<'_>, store: Backend) -> Option<(Volume, VolumeMount)> {
    let pem = inputs.resolved.store(store).told()?.authorities.as_ref()?;
    let key = entry(AUTHORITIES, pem, salt(inputs.names, inputs.credentials));
    let name = format!("{}-authorities", store.as_str());
    let source = SecretVolumeSource {
        secret_name: Some(inputs.names.addresses(store)),
        default_mode: Some(0o440),
        // Passwords are in it too, and the login that makes others.
        items: Some(vec![KeyToPath { key, path: AUTHORITIES.to_owned(), mode: None }]),
        ..SecretVolumeSource::default()
    };
    let volume = Volume { name: name.clone(), secret: Some(source), ..Volume::default() };
    Some((volume, mount(&name, &directory(store), true)))
}
