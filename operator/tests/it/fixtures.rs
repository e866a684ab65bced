//! A stack, its secrets and the operator's settings as the tests have them.

use std::collections::{BTreeMap, BTreeSet};

use ecommerce_contract::Service;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;
use operator::crd::{EcommerceStack, EcommerceStackSpec};
use operator::credentials::{ADMIN_EMAIL, Credentials, wanted};
use operator::external;
use operator::ledger::Pins;
use operator::names::Names;
use operator::objects::{Desired, Held, Inputs, Shown, build, configuration, revisions};
use operator::reconcile::edges;
use operator::resolve::{Embedded, Location, Resolved};
use operator::settings::Settings;
use operator::store_form::as_asked;
use serde_json::{Value, json};

pub(crate) const CLAIM: &str = "6a8b7a52-3c54-4c2f-8f0e-5b7c5e0f5a11";

pub(crate) fn settings() -> Settings {
    Settings {
        services_registry: "ecommerce-stack".to_owned(),
        services_version: "1.0.0".to_owned(),
        operator_image: "ecommerce-stack/operator:1.0.0".to_owned(),
        operator_namespace: "ecommerce-system".to_owned(),
        pod_name: "operator-0".to_owned(),
        resync_seconds: 300,
        reconcile_limit_seconds: 20,
        longest_backoff_seconds: 300,
        operations_address: ([127, 0, 0, 1], 0).into(),
    }
}

pub(crate) fn spec(value: Value) -> EcommerceStackSpec {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn stack(namespace: &str, spec: &Value) -> EcommerceStack {
    let metadata = json!({
        "name": "shop", "namespace": namespace, "generation": 1,
        "uid": "0d1e3c6e-94a1-4a54-9f0e-2d6b0a1c7f10", "resourceVersion": "1",
    });
    serde_json::from_value(json!({
        "apiVersion": "ecommercestack.dev/v1alpha1", "kind": "EcommerceStack", "metadata": metadata, "spec": spec,
    }))
    .unwrap()
}

pub(crate) fn owner() -> OwnerReference {
    OwnerReference {
        api_version: "ecommercestack.dev/v1alpha1".to_owned(),
        kind: "EcommerceStack".to_owned(),
        name: "shop".to_owned(),
        uid: "0d1e3c6e-94a1-4a54-9f0e-2d6b0a1c7f10".to_owned(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

/// Secrets that tell which they are.
pub(crate) fn credentials(names: &Names) -> Credentials {
    let mut credentials = Credentials::default();
    for wanted in wanted(names, &EcommerceStackSpec::default()) {
        for (key, _) in &wanted.keys {
            credentials.insert(&wanted.name, key, format!("secret of {} {key}", wanted.name));
        }
    }
    credentials.insert(&names.admin(), ADMIN_EMAIL, names.default_admin_email());
    for (key, value) in [("host", "smtp.example.com"), ("port", ""), ("username", "shop"), ("password", "of smtp")] {
        credentials.insert("smtp", key, value.to_owned());
    }
    credentials
}

pub(crate) fn databases() -> BTreeMap<Service, String> {
    Service::WITH_DATABASE.map(|service| (service, format!("00000000-0000-7000-8000-database-{service}"))).into()
}

/// How far the databases of the stack are that is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Databases {
    /// Their volume is there, they are not.
    Absent,
    /// They are there and empty.
    Provisioned,
    /// They are as the services need them.
    Migrated,
}

pub(crate) fn built(spec: &EcommerceStackSpec, databases: Databases) -> Desired {
    let names = Names::new("default", "shop");
    built_with(spec, databases, &credentials(&names))
}

pub(crate) fn built_with(spec: &EcommerceStackSpec, how_far: Databases, credentials: &Credentials) -> Desired {
    let names = Names::new("default", "shop");
    let migrated = match how_far {
        Databases::Migrated => Service::WITH_DATABASE.into(),
        Databases::Absent | Databases::Provisioned => BTreeSet::new(),
    };
    let databases = if how_far == Databases::Absent { BTreeMap::new() } else { databases() };
    let settings = settings();
    let seen = Embedded { server_id: Some(CLAIM.to_owned()), is_ready: true, is_steady: true };
    let mut theirs = external::look(spec, &names, credentials);
    let locate = |backend| match theirs.remove(&backend) {
        Some((theirs, _)) => Location::external(&names, backend, theirs),
        None => Location::embedded(&names, backend, seen.clone()),
    };
    let resolved = Resolved::new(spec, &Pins::of_today(&settings), locate).proven(&names);
    let mut edges = BTreeMap::new();
    edges::look(&mut edges, &names, &Held::default(), credentials, &Time(Timestamp::UNIX_EPOCH));
    let inputs = Inputs {
        spec,
        names: &names,
        owner: &owner(),
        settings: &settings,
        resolved: &resolved,
        credentials,
        stores: &as_asked(spec),
        edges: &edges,
        connections: 0,
        volumes: &BTreeMap::new(),
        provisioned_from: None,
        databases: &databases,
        migrated: &migrated,
        settled: &migrated,
        not_yet: &BTreeSet::new(),
        held: &Held::default(),
    };
    let key = operator::objects::provisioning_key(&inputs);
    let provisioned_from = key.as_deref().filter(|_| how_far != Databases::Absent);
    let inputs = Inputs { provisioned_from, ..inputs };
    let mut revisions = revisions(&inputs);
    revisions.retain(|service, _| !Service::WITH_DATABASE.contains(service) || migrated.contains(service));
    let of_service = |(service, revision)| {
        let configuration = configuration(&inputs, &revision);
        (service, Shown { revision, configuration, replicas: spec.service(service).and_then(|said| said.replicas) })
    };
    let shown = revisions.into_iter().map(of_service).collect();
    build(&inputs, &shown)
}
