//! The objects of a stack, as the operator makes them.

use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::Service;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;
use operator::crd::EcommerceStackSpec;
use operator::credentials::{ADMIN_EMAIL, ADMIN_PASSWORD, Credentials, SUPERUSER, generate, wanted};
use operator::ledger::Pins;
use operator::names::{Backend, Names};
use operator::objects::{Desired, Held, Inputs, Shown, build, configuration, provisioning_key, revisions};
use operator::reconcile::edges;
use operator::resolve::{Embedded, Location, Resolved};
use operator::settings::Settings;
use operator::store_form::as_asked;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

/// A stack with secrets of its own.
#[derive(Debug)]
pub struct Stack {
    /// Its names.
    pub names: Names,
    /// Its secrets.
    pub credentials: Credentials,
    /// What it asks for.
    pub spec: EcommerceStackSpec,
    owner: OwnerReference,
    settings: Settings,
}

impl Stack {
    /// One that asks for nothing in particular.
    #[must_use]
    pub fn new() -> Self {
        let names = Names::new("default", "shop");
        let (mut credentials, mut random) = (Credentials::default(), UnwrapErr(SysRng));
        for secret in wanted(&names, &EcommerceStackSpec::default()) {
            for (key, kind) in &secret.keys {
                credentials.insert(&secret.name, key, generate(*kind, &mut random));
            }
        }
        credentials.insert(&names.admin(), ADMIN_EMAIL, names.default_admin_email());
        let owner =
            OwnerReference { name: names.stack.clone(), uid: "loopback".to_owned(), ..OwnerReference::default() };
        let settings = Settings {
            services_registry: "loopback".to_owned(),
            services_version: "loopback".to_owned(),
            operator_image: "loopback/operator".to_owned(),
            operator_namespace: "loopback".to_owned(),
            pod_name: "loopback".to_owned(),
            resync_seconds: 300,
            reconcile_limit_seconds: 120,
            longest_backoff_seconds: 300,
            operations_address: ([127, 0, 0, 1], 0).into(),
        };
        Self { names, credentials, spec: EcommerceStackSpec::default(), owner, settings }
    }

    /// The password of PostgreSQL's superuser.
    #[must_use]
    pub fn superuser(&self) -> &str {
        self.credentials.get(&self.names.backend(Backend::Postgres), SUPERUSER)
    }

    /// The admin's address and password.
    #[must_use]
    pub fn admin(&self) -> [&str; 2] {
        [ADMIN_EMAIL, ADMIN_PASSWORD].map(|key| self.credentials.get(&self.names.admin(), key))
    }

    /// All objects: without databases, the Job that makes them is among them; with some that are not migrated, the Jobs that do
    /// that.
    #[must_use]
    pub fn objects(&self, databases: &BTreeMap<Service, String>, are_migrated: bool) -> Desired {
        let seen = Embedded { server_id: Some("loopback".to_owned()), is_ready: true, is_steady: true };
        let locate = |backend| Location::embedded(&self.names, backend, seen.clone());
        let resolved = Resolved::new(&self.spec, &Pins::of_today(&self.settings), locate);
        let migrated: BTreeSet<Service> = Service::WITH_DATABASE.into_iter().filter(|_| are_migrated).collect();
        let (volumes, not_yet, held) = (BTreeMap::new(), BTreeSet::new(), Held::default());
        let mut edges = BTreeMap::new();
        edges::look(&mut edges, &self.names, &held, &self.credentials, &Time(Timestamp::UNIX_EPOCH));
        let inputs = Inputs {
            spec: &self.spec,
            names: &self.names,
            owner: &self.owner,
            settings: &self.settings,
            resolved: &resolved,
            credentials: &self.credentials,
            stores: &as_asked(&self.spec),
            edges: &edges,
            connections: 0,
            volumes: &volumes,
            provisioned_from: None,
            databases,
            migrated: &migrated,
            settled: &migrated,
            not_yet: &not_yet,
            held: &held,
        };
        let key = provisioning_key(&inputs).filter(|_| !databases.is_empty());
        let inputs = Inputs { provisioned_from: key.as_deref(), ..inputs };
        let shown = revisions(&inputs).into_iter().map(|(service, revision)| {
            let configuration = configuration(&inputs, &revision);
            (service, Shown { revision, configuration, replicas: None })
        });
        build(&inputs, &shown.collect())
    }
}

impl Default for Stack {
    fn default() -> Self {
        Self::new()
    }
}
