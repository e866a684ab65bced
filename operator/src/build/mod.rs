//! From a spec to the objects that it asks for: pure, without a client, a clock or randomness. The snapshots are in
//! `tests/it/snapshots/`.
//!
//! To add an object: a function in the file of what it belongs to, its line in [`build`], and a permission in the chart's
//! `ClusterRole`.

mod backend;
mod container;
mod environment;
pub mod manifest;
mod metadata;
mod migration;
mod postgres;
mod provisioning;
mod rabbitmq;
mod redis;
mod secrets;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::Service;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::crd::{DeletionPolicy, EcommerceStackSpec};
use crate::credentials::{ADMIN_EMAIL, Credentials};
use crate::names::{Backend, Names, short_hash};
use crate::settings::Settings;

pub use manifest::Manifest;
pub use metadata::{labels, stack_labels};
pub use provisioning::provisioning_key;

/// Everything that the objects are made from.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// What the person wrote.
    pub spec: &'a EcommerceStackSpec,
    /// The stack's names.
    pub names: &'a Names,
    /// The stack as the owner of what goes with it.
    pub owner: &'a OwnerReference,
    /// What the operator was told at its start.
    pub settings: &'a Settings,
    /// The version that the stack is to run.
    pub version: &'a str,
    /// The stack's secrets.
    pub credentials: &'a Credentials,
    /// Volume sizes that are taken already: what is asked for is never less.
    pub volumes: &'a BTreeMap<Backend, String>,
    /// The uid of PostgreSQL's claim, once it is there; another volume is another server to provision.
    pub postgres_claim: Option<&'a str>,
    /// The key that the databases were last provisioned from.
    pub provisioned_from: Option<&'a str>,
    /// The id that stands in each database.
    pub databases: &'a BTreeMap<Service, String>,
    /// The services whose database is as their image needs it.
    pub migrated: &'a BTreeSet<Service>,
    /// Those of them whose migration left nothing for a person to do: it does not run again.
    pub settled: &'a BTreeSet<Service>,
}

/// The objects of a stack.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// The owner and labels that the generated Secrets and what is in them from the spec have; applied to what is there.
    pub credentials: Vec<Manifest>,
    /// Applied in this order: configuration before what mounts it.
    pub applied: Vec<Manifest>,
    /// Made when they are not there, and never changed: what a Job runs can not change.
    pub jobs: Vec<Job>,
    /// The size of each store's volume; one that is there and smaller is to grow.
    pub volumes: BTreeMap<Backend, String>,
    /// Deployments that keep what they run until their migration has succeeded.
    pub awaiting_migration: BTreeSet<Service>,
}

/// All objects of a stack.
#[must_use]
pub fn build(inputs: &Inputs<'_>) -> Desired {
    let mut desired = Desired {
        credentials: secrets::credential_metadata(inputs),
        volumes: Backend::ALL.map(|backend| (backend, backend::storage_size(inputs, backend))).into(),
        ..Desired::default()
    };
    desired.applied.extend(secrets::api_key_hashes(inputs));
    desired.applied.extend(postgres::objects(inputs));
    desired.applied.extend(rabbitmq::objects(inputs));
    desired.applied.extend(redis::objects(inputs));
    desired.applied.extend(Service::ALL.map(|service| service::kubernetes_service(inputs, service)));

    desired.jobs.extend(provisioning::job(inputs));
    desired.jobs.extend(Service::WITH_DATABASE.into_iter().filter_map(|service| migration::job(inputs, service)));

    for service in Service::ALL {
        if Service::WITH_DATABASE.contains(&service) && !inputs.migrated.contains(&service) {
            desired.awaiting_migration.insert(service);
        } else {
            desired.applied.push(service::deployment(inputs, service));
        }
    }
    desired
}

impl Inputs<'_> {
    /// The image of a service.
    #[must_use]
    pub fn image(&self, service: Service) -> String {
        image(self.spec, self.settings, self.version, service)
    }

    /// The owner of what is made anew whenever it is absent.
    fn owned(&self) -> Vec<OwnerReference> {
        vec![self.owner.clone()]
    }

    /// The owner of what holds data or opens it: nobody, unless the data is to go with the stack.
    fn owned_with_data(&self) -> Option<Vec<OwnerReference>> {
        match self.spec.deletion_policy() {
            DeletionPolicy::Retain => None,
            DeletionPolicy::Delete => Some(self.owned()),
        }
    }
}

/// The image of a service.
#[must_use]
pub fn image(spec: &EcommerceStackSpec, settings: &Settings, version: &str, service: Service) -> String {
    let named = spec.services.as_ref().and_then(|services| services.get(service)).and_then(|one| one.image.clone());
    named.unwrap_or_else(|| {
        let registry = spec.images.as_ref().and_then(|images| images.registry.as_deref());
        format!("{}/{service}:{version}", registry.unwrap_or(&settings.services_registry))
    })
}

/// What a migration is known by: the same image on the same database, told the same, does nothing a second time.
#[must_use]
pub fn migration_key(
    names: &Names,
    credentials: &Credentials,
    service: Service,
    image: &str,
    database_id: &str,
) -> String {
    let told = match service {
        Service::Auth => credentials.get(&names.admin(), ADMIN_EMAIL),
        Service::Gateway | Service::Product | Service::Order | Service::Payment => "",
    };
    short_hash([image, database_id, told])
}
