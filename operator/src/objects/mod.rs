//! From a spec to the objects that it asks for: pure, without a client, a clock or randomness. The snapshots are in
//! `tests/it/snapshots/`.
//!
//! To add an object: a function in the file of what it belongs to, and its line in [`build`]; for a kind of its own, a row in
//! [`crate::kinds`].

pub mod addresses;
mod backend;
mod container;
mod disruption;
mod environment;
mod ingress;
pub mod ledger;
mod log;
pub mod manifest;
mod metadata;
mod migration;
mod network;
mod postgres;
mod provisioning;
mod rabbitmq;
mod redis;
pub mod revision;
mod secrets;
mod service;
pub mod sizes;

use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::Service;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::crd::{DeletionPolicy, EcommerceStackSpec};
use crate::credentials::{ADMIN_EMAIL, ADMIN_PASSWORD, Credentials, migrate_login_key};
use crate::edge_keys::EdgeKeys;
use crate::names::{Backend, Names, short_hash};
use crate::reconcile::volume::Volume;
use crate::resolve::Resolved;
use crate::settings::Settings;
use crate::store_form::StoreForm;

pub use backend::CHECKSUM;
pub use manifest::{Manifest, TEMPLATE};
pub use metadata::{labels, not_pruned, stack_labels};
pub use migration::MIGRATE;
pub use postgres::{CONNECTIONS, INITIALISE};
pub use provisioning::{PROVISION, provisioning_key};
pub use revision::{Revision, Shown};
pub use secrets::HASHES_FILE;
pub use service::{PROGRESS_DEADLINE_SECONDS, configuration};

/// Until a pod that serves is said to be there: within this time every node has heard of it, and who had lost a connection to the one
/// before has another.
const STEADY_SECONDS: i32 = 2;

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
    /// The images, and where the stores are.
    pub resolved: &'a Resolved,
    /// The stack's secrets.
    pub credentials: &'a Credentials,
    /// The form of each store, which the spec here has already; one that has none is not made.
    pub stores: &'a BTreeMap<String, StoreForm>,
    /// The keys of the edges between services, by name.
    pub edges: &'a BTreeMap<String, EdgeKeys>,
    /// The connections that the PostgreSQL takes which is there: another number restarts it, so it never gets fewer.
    pub connections: u32,
    /// The volumes that are there: none is asked for less than it has.
    pub volumes: &'a BTreeMap<Backend, Volume>,
    /// The key that the databases were last provisioned from.
    pub provisioned_from: Option<&'a str>,
    /// The id that stands in each database.
    pub databases: &'a BTreeMap<Service, String>,
    /// The services whose database is as their image needs it.
    pub migrated: &'a BTreeSet<Service>,
    /// Those of them whose migration left nothing for a person to do: it does not run again.
    pub settled: &'a BTreeSet<Service>,
    /// Jobs that failed, and whose time has not come again.
    pub not_yet: &'a BTreeSet<String>,
    /// What keeps its present form.
    pub held: &'a Held,
}

/// What keeps its present form until a problem is mended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Nothing at all is changed.
    pub everything: bool,
    /// Secrets that are left as they are, and whatever is made from them.
    pub secrets: BTreeSet<String>,
    /// Those of them that are somebody else's.
    pub foreign: BTreeSet<String>,
    /// Stores whose pod and configuration stay.
    pub stores: BTreeSet<Backend>,
    /// Stores whose configuration stays and whose pod is made again.
    pub configurations: BTreeSet<Backend>,
    /// Services whose pods stay.
    pub services: BTreeSet<Service>,
    /// Nothing is provisioned and nothing migrated.
    pub jobs: bool,
}

/// The objects of a stack.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// The owner and labels that the generated Secrets and what is in them from the spec have; applied to what is there.
    pub credentials: Vec<Manifest>,
    /// Applied, configuration before what mounts it.
    pub applied: Vec<Manifest>,
    /// Made when they are not there, and never changed: what a Job runs can not change.
    pub jobs: Vec<Job>,
    /// The size of each store's volume, which one that is there is to ask for.
    pub volumes: BTreeMap<Backend, String>,
    /// Whom the volumes that are there go with.
    pub volume_owners: Vec<OwnerReference>,
}

/// What each service's pods are to be.
#[must_use]
pub fn revisions(inputs: &Inputs<'_>) -> BTreeMap<Service, Revision> {
    Service::ALL.map(|service| (service, Revision::new(service::template(inputs, service)))).into()
}

/// All objects of a stack whose services show these revisions.
#[must_use]
pub fn build(inputs: &Inputs<'_>, shown: &BTreeMap<Service, Shown>) -> Desired {
    let mut desired = Desired {
        credentials: secrets::credential_metadata(inputs),
        volumes: inputs.spec.embedded().map(|backend| (backend, backend::storage_size(inputs, backend))).collect(),
        volume_owners: inputs.owned_with_data().unwrap_or_default(),
        ..Desired::default()
    };
    desired.applied.extend(secrets::api_key_hashes(inputs));
    desired.applied.extend(secrets::edge_keys(inputs));
    desired.applied.extend(addresses::objects(inputs));
    desired.applied.push(log::object(inputs));
    for backend in inputs.spec.embedded() {
        desired.applied.push(backend::kubernetes_service(inputs, backend));
        if let Some(form) = inputs.stores.get(backend.as_str()).filter(|_| !inputs.held.stores.contains(&backend)) {
            let [configuration, mut set] = store(inputs, backend);
            set.annotate(revision::REVISION, &form.hash());
            set.annotate(TEMPLATE, &manifest::template_hash(&set));
            if backend == Backend::Postgres {
                set.annotate(CONNECTIONS, &postgres::connections(inputs).to_string());
            }
            desired.applied.extend((!inputs.held.configurations.contains(&backend)).then_some(configuration));
            desired.applied.push(set);
        }
    }
    desired.applied.extend(Service::ALL.map(|service| service::kubernetes_service(inputs, service)));
    desired.applied.extend(network::policies(inputs));
    desired.applied.extend(disruption::budgets(inputs));
    desired.applied.extend(ingress::ingress(inputs));

    let migrations = Service::WITH_DATABASE.into_iter().filter_map(|service| migration::job(inputs, service));
    desired.jobs.extend(provisioning::job(inputs).into_iter().chain(migrations).map(manifest::with_template));

    for (service, shown) in shown {
        desired.applied.push(revision::object(inputs, *service, &shown.revision));
        desired.applied.push(service::deployment(inputs, *service, shown));
    }
    desired
}

fn store(inputs: &Inputs<'_>, backend: Backend) -> [Manifest; 2] {
    match backend {
        Backend::Postgres => postgres::objects(inputs),
        Backend::Rabbitmq => rabbitmq::objects(inputs),
        Backend::Redis => redis::objects(inputs),
    }
}

/// Stands for what a store's pod is; another one restarts it, and its `StatefulSet` has it as [`TEMPLATE`].
#[must_use]
pub fn store_template(inputs: &Inputs<'_>, backend: Backend) -> String {
    let [_, set] = store(inputs, backend);
    manifest::template_hash(&set)
}

/// Stands for what a store's pod reads at its start; it stands beside the pod as [`CHECKSUM`].
#[must_use]
pub fn store_configuration(inputs: &Inputs<'_>, backend: Backend) -> String {
    let parts = match backend {
        Backend::Postgres => postgres::parts(inputs),
        Backend::Rabbitmq => rabbitmq::parts(inputs),
        Backend::Redis => redis::parts(inputs),
    };
    parts.checksum()
}

impl Inputs<'_> {
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

/// What a migration is known by: the same image on the same database of the same server, told the same, does nothing a second time. On
/// another volume the same database may be an older one, of a snapshot. Of a password it has a hash, for it stands in the names of Jobs.
#[must_use]
pub fn migration_key(
    names: &Names,
    credentials: &Credentials,
    service: Service,
    image: &str,
    (server_id, database_id): (&str, &str),
) -> String {
    let told = match service {
        Service::Auth => {
            let admin = |key| credentials.get(&names.admin(), key);
            // Who may list Jobs may not try passwords on their names: the login that migrates has one that nobody guesses.
            let secret = credentials.get(&names.backend(Backend::Postgres), &migrate_login_key(service));
            let secret = if secret.is_empty() { addresses::salt(names, credentials) } else { secret };
            vec![admin(ADMIN_EMAIL), admin(ADMIN_PASSWORD), secret]
        }
        Service::Gateway | Service::Product | Service::Order | Service::Payment => vec![""],
    };
    short_hash([image, server_id, database_id].into_iter().chain(told))
}

/// Whether what a service's migration is told has to be mended first.
#[must_use]
pub fn migration_is_held(names: &Names, held: &Held, service: Service) -> bool {
    let told = [names.admin(), names.backend(Backend::Postgres)];
    service == Service::Auth && told.iter().any(|secret| held.secrets.contains(secret))
}
