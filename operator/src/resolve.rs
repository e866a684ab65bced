//! Settles what a spec leaves open, once for everything that comes after: the image of each service, and where each store is.
//! Pure.

use std::collections::BTreeMap;

use ecommerce_contract::Service;

use crate::crd::EcommerceStackSpec;
use crate::external::{Found, Theirs};
use crate::ledger::Pins;
use crate::names::{Backend, Names};

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The name that it answers to; empty of one that somebody else runs, which `theirs` tells for each service.
    pub host: String,
    /// Where it listens; 0 of one that somebody else runs.
    pub port: u16,
    /// The Secret of its logins.
    pub secret: String,
    /// Which server it is: another one has other data. `None` while there is none.
    pub server_id: Option<String>,
    /// Whether it answers.
    pub is_ready: bool,
    /// Whether it has answered for long enough that whoever had lost their connection has another.
    pub is_steady: bool,
    /// What somebody else has said of it; `None` of one that the operator runs.
    pub theirs: Option<Theirs>,
}

/// What a stack is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The version of the services.
    pub version: String,
    store_images: BTreeMap<Backend, String>,
    images: BTreeMap<Service, String>,
    stores: BTreeMap<Backend, Location>,
}

/// A store that the operator runs, as far as it is seen.
#[derive(Debug, Clone, Default)]
pub struct Embedded {
    /// The server's own id.
    pub server_id: Option<String>,
    /// Whether its pod serves.
    pub is_ready: bool,
    /// Whether it has served for its set's `minReadySeconds`.
    pub is_steady: bool,
}

impl Location {
    /// One that the operator runs itself.
    #[must_use]
    pub fn embedded(names: &Names, backend: Backend, seen: Embedded) -> Self {
        let Embedded { server_id, is_ready, is_steady } = seen;
        let name = names.backend(backend);
        let port = backend.port();
        Self { host: name.clone(), port, secret: name, server_id, is_ready, is_steady, theirs: None }
    }

    /// One that somebody else runs. It is asked nothing by the operator, which has no way there: it is ready once the Job in the
    /// stack's namespace has tried every login.
    #[must_use]
    pub fn external(names: &Names, backend: Backend, theirs: Theirs) -> Self {
        Self {
            host: String::new(),
            port: 0,
            secret: names.backend(backend),
            // Its own id is for the Job to see, in the databases; until then another address is another server.
            server_id: theirs.told().map(Found::everywhere),
            is_ready: theirs.present.is_some(),
            is_steady: theirs.present.is_some(),
            theirs: Some(theirs),
        }
    }

    /// What is to be tried in a store that somebody else runs.
    #[must_use]
    pub fn next(&self) -> Option<&Found> {
        self.theirs.as_ref()?.next.as_ref()
    }

    /// What the services are told of a store that somebody else runs.
    #[must_use]
    pub fn told(&self) -> Option<&Found> {
        self.theirs.as_ref()?.told()
    }

    /// Everywhere that the services go; empty where nothing that was said was tried: it may be anything that a Secret holds.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.theirs {
            None => format!("{}:{}", self.host, self.port),
            Some(theirs) => theirs.present.as_ref().map(Found::everywhere).unwrap_or_default(),
        }
    }
}

impl Resolved {
    /// What this spec asks for; what it does not name is as it is pinned.
    #[must_use]
    pub fn new(spec: &EcommerceStackSpec, pins: &Pins, mut locate: impl FnMut(Backend) -> Location) -> Self {
        let version = spec.version.clone().unwrap_or_else(|| pins.version.clone());
        let images = Service::ALL.map(|service| (service, image(spec, pins, &version, service))).into();
        let stores = Backend::ALL.map(|backend| (backend, locate(backend))).into();
        let store_images = Backend::ALL.map(|backend| (backend, store_image(spec, pins, backend))).into();
        Self { version, store_images, images, stores }
    }

    /// What was to be tried of the stores of others has been, and is in force.
    #[must_use]
    pub fn proven(mut self, names: &Names) -> Self {
        for (backend, location) in &mut self.stores {
            if let Some(theirs) = location.theirs.take_if(|theirs| theirs.next.is_some()) {
                let theirs = Theirs { present: theirs.next.clone(), ..theirs };
                *location = Location::external(names, *backend, theirs);
            }
        }
        self
    }

    /// Whether any store is somebody else's.
    #[must_use]
    pub fn any_external(&self) -> bool {
        self.stores.values().any(|location| location.theirs.is_some())
    }

    /// The image of a store that the operator runs.
    #[must_use]
    pub fn store_image(&self, backend: Backend) -> &str {
        &self.store_images[&backend]
    }

    /// The image of a service.
    #[must_use]
    pub fn image(&self, service: Service) -> &str {
        &self.images[&service]
    }

    /// Where a store is.
    #[must_use]
    pub fn store(&self, backend: Backend) -> &Location {
        &self.stores[&backend]
    }
}

fn image(spec: &EcommerceStackSpec, pins: &Pins, version: &str, service: Service) -> String {
    let named = spec.service(service).and_then(|said| said.image.clone());
    named.unwrap_or_else(|| {
        let registry = spec.images.as_ref().and_then(|images| images.registry.as_deref());
        format!("{}/{service}:{version}", registry.unwrap_or(&pins.registry))
    })
}

fn store_image(spec: &EcommerceStackSpec, pins: &Pins, backend: Backend) -> String {
    let named = spec.store(backend).and_then(|store| store.embedded.as_ref()?.image.clone());
    named.or_else(|| pins.stores.get(backend.as_str()).cloned()).unwrap_or_else(|| default_image(backend).to_owned())
}

/// The major version that an image's tag begins with; a digest says none.
#[must_use]
pub fn major_version(image: &str) -> Option<&str> {
    let (name, tag) = image.rsplit_once(':')?;
    let digits = tag.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0 && !name.contains('@')).then(|| &tag[..digits])
}

/// The image of a store in a stack that is made today: a minor version, for what writes the data today may not be read by an earlier
/// one tomorrow.
#[must_use]
pub fn default_image(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres => "docker.io/library/postgres:17.6",
        Backend::Rabbitmq => "docker.io/library/rabbitmq:4.0.9",
        Backend::Redis => "docker.io/library/redis:8.0.3",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_its_major_version_and_a_digest_says_none() {
        for (image, major) in [
            ("docker.io/library/postgres:17.6", Some("17")),
            ("registry.example.com:5000/postgres:18-bookworm", Some("18")),
            ("postgres:stable", None),
            ("registry.example.com:5000/postgres@sha256:17", None),
        ] {
            assert_eq!(major_version(image), major, "{image}");
        }
    }
}
