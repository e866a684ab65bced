//! The resource: `EcommerceStack` of `ecommercestack.dev/v1alpha1`. One stack is one shop.
//!
//! Here live the fields that a person writes, the rules they keep (CEL, run by the API server), and the status that the
//! operator writes. No default of a version, an image or an amount stands in the schema: a default written into an object is
//! a promise for ever; what an absent field means is decided in `objects/`. To add a field: here with its rule and sentence, in
//! `objects/`, a case in `tests/it/rules.rs`, and `make generate`.

#![expect(unreachable_pub, reason = "KubeSchema writes a public twin of each struct where no one reaches it")]

mod auth;
pub mod condition;
mod log;
mod resources;
mod services;
mod status;
mod stores;

use ecommerce_contract::Service;
use kube::core::Rule;
use kube::{CustomResource, CustomResourceExt as _, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::names::Backend;

pub use auth::{Auth, Mail, Registration, SecretRef};
pub use log::Log;
pub use resources::{Amount, Amounts, Resources};
pub use services::{
    Gateway, GatewayIngress, GatewayService, GatewayServiceType, Images, PullPolicy, ServiceSpec, Services,
};
pub use status::{EcommerceStackStatus, MigrationState, MigrationStatus, ServiceStatus, StoreStatus};
pub use stores::{EmbeddedStore, ExternalStore, Keeper, Storage, Store, StoreKeys};

/// The rule of an e-mail address: what `types::Email` takes, without the apostrophe, which CEL would have to escape.
const IS_EMAIL: &str = "self.matches('^[A-Za-z0-9.!#$%&*+/=?^_`{|}~-]+@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$')";

/// The rule that an image is one thing for ever.
const IS_IMAGE: &str = "self.matches('^[a-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?$') && (self.contains('@') || self.matches(':[A-Za-z0-9_][A-Za-z0-9_.-]*$')) && !self.endsWith(':latest')";

/// A volume does not move. The rule stands at the root, for one that stands at the volume sees no volume before where something
/// above it was absent for a moment.
fn stays_where_it_is(store: Backend) -> Rule {
    let store = store.as_str();
    let class = |of: &str| {
        let steps = [store, "embedded", "storage", "className"];
        let paths: Vec<String> = (1..=steps.len()).map(|to| format!("{of}.spec.{}", steps[..to].join("."))).collect();
        let [above @ .., class] = paths.as_slice() else { return String::new() };
        let is_there: Vec<String> = above.iter().map(|path| format!("has({path}) && {path} != null")).collect();
        format!("({} && has({class}) ? {class} : '')", is_there.join(" && "))
    };
    let message = format!(
        "{store}.embedded.storage.className can not change once the stack is made, nor be named later: a volume does not move"
    );
    Rule::new(format!("{} == {}", class("self"), class("oldSelf"))).message(message.as_str())
}

/// What is said of a store's `external`, in CEL: its `managed` where that is said, else this, and what stands for `embedded`.
fn of_external(of: &str, store: &str, managed: &str, unsaid: &str, embedded: &str) -> String {
    let [outer, inner] = [format!("{of}.spec.{store}"), format!("{of}.spec.{store}.external")];
    let is_there = |path: &str| format!("has({path}) && {path} != null");
    format!(
        "({} && {} ? (has({inner}.managed) ? {managed} : {unsaid}) : {embedded})",
        is_there(&outer),
        is_there(&inner)
    )
}

/// A shop's data does not follow it from one server to another, so a store stays with whoever keeps it.
fn stays_with_its_keeper(store: Backend) -> Rule {
    let unsaid = if store == Backend::Redis { "'others'" } else { "'shared'" };
    let store = store.as_str();
    let keeper = |of: &str| {
        let managed = format!("({of}.spec.{store}.external.managed ? 'shared' : 'others')");
        of_external(of, store, &managed, unsaid, "'operator'")
    };
    let message = format!(
        "{store} can not change between embedded, external, and external with managed: false once the stack is made: its data would stay behind. docs/operate/external-stores.md#move says how a shop moves"
    );
    Rule::new(format!("{} == {}", keeper("self"), keeper("oldSelf"))).message(message.as_str())
}

/// Access control lists are no part of what Redis replicates, so whom one makes in one place is nobody after a failover.
fn redis_is_not_managed() -> Rule {
    Rule::new(of_external("self", "redis", "!self.spec.redis.external.managed", "true", "true")).message(
        "redis.external.managed can not be true: the operator makes no users in a Redis of others; make one there and name it in the Secret",
    )
}

/// A shop's backend: five services with their PostgreSQL, RabbitMQ and Redis. `spec: {}` is a whole stack.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "ecommercestack.dev",
    version = "v1alpha1",
    kind = "EcommerceStack",
    plural = "ecommercestacks",
    shortname = "ecs",
    namespaced,
    status = "EcommerceStackStatus",
    derive = "PartialEq",
    doc = "A shop's backend: five services with their PostgreSQL, RabbitMQ and Redis. `spec: {}` is a whole stack.",
    annotation("helm.sh/resource-policy", "keep"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Available",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Available\")].status"
    ),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version"),
    printcolumn(name = "Endpoint", type_ = "string", json_path = ".status.endpoint"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message"
    ),
    validation = Rule::new("self.metadata.name.size() <= 30 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')")
        .message("metadata.name must be at most 30 lower-case letters, digits and dashes, beginning with a letter: the names of everything in the stack are made from it"),
    validation = stays_where_it_is(Backend::Postgres),
    validation = stays_where_it_is(Backend::Rabbitmq),
    validation = stays_where_it_is(Backend::Redis),
    validation = stays_with_its_keeper(Backend::Postgres),
    validation = stays_with_its_keeper(Backend::Rabbitmq),
    validation = stays_with_its_keeper(Backend::Redis),
    validation = redis_is_not_managed(),
)]
#[serde(rename_all = "camelCase")]
pub struct EcommerceStackSpec {
    /// Version of the services. Absent: the operator's own at the time the stack is made; `status.version` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9_][A-Za-z0-9_.-]*$') && self != 'latest'")
        .message("version must be an image tag that is never used twice, so not latest: letters, digits, dots, dashes and underscores"))]
    pub version: Option<String>,

    /// Where the images of the services come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<Images>,

    /// The services, one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Services>,

    /// The databases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<Store>,

    /// The message broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rabbitmq: Option<Store>,

    /// Sessions and the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Store>,

    /// The way in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,

    /// Whether each part takes connections from those parts alone that have to reach it, where the cluster keeps to network
    /// policies. Absent: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_policies: Option<bool>,

    /// The first administrator. The password is generated into the Secret `<stack>-admin`; another one that is put there is taken
    /// within five minutes, and ends all sessions of the administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Admin>,

    /// Accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,

    /// How the shop sends mail. Absent: not at all, and an admin hands links over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,

    /// What the services log. A change of it is taken within some two minutes, and no pod restarts for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,

    /// What becomes of the data when the stack is deleted: volumes and generated Secrets. Absent: `Retain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// While true the operator changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// The first administrator. The password is generated into the Secret `<stack>-admin`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Admin {
    /// The name to log in with. Absent: `admin@<stack>.<namespace>.svc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254))]
    #[x_kube(validation = Rule::new(IS_EMAIL)
        .message("admin.email must be an e-mail address like name@example.com"))]
    pub email: Option<String>,
}

/// What becomes of the data when the stack is deleted: volumes and generated Secrets. Absent: `Retain`.
#[derive(schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeletionPolicy {
    /// Volumes and generated Secrets stay, and a stack of the same name takes them up again.
    #[default]
    Retain,
    /// Everything goes.
    Delete,
}

impl EcommerceStackSpec {
    /// What becomes of the data.
    #[must_use]
    pub fn deletion_policy(&self) -> DeletionPolicy {
        self.deletion_policy.unwrap_or_default()
    }

    /// Whether the operator is to change nothing.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused.unwrap_or_default()
    }

    /// How many pods of a service there are to be.
    #[must_use]
    pub fn replicas(&self, service: Service) -> i32 {
        self.service(service).and_then(|said| said.replicas).unwrap_or(1)
    }

    /// What is said of a service.
    #[must_use]
    pub fn service(&self, service: Service) -> Option<&ServiceSpec> {
        self.services.as_ref().and_then(|services| services.get(service))
    }

    /// The Ingress that is asked for.
    #[must_use]
    pub fn ingress(&self) -> Option<&GatewayIngress> {
        self.gateway.as_ref().and_then(|gateway| gateway.ingress.as_ref())
    }

    /// What is said of a store.
    #[must_use]
    pub fn store(&self, backend: Backend) -> Option<&Store> {
        match backend {
            Backend::Postgres => self.postgres.as_ref(),
            Backend::Rabbitmq => self.rabbitmq.as_ref(),
            Backend::Redis => self.redis.as_ref(),
        }
    }

    /// Who keeps a store.
    #[must_use]
    pub fn keeper(&self, backend: Backend) -> Keeper {
        self.external(backend).map_or(Keeper::Operator, |external| external.keeper(backend))
    }

    /// What is said of a store that somebody else runs.
    #[must_use]
    pub fn external(&self, backend: Backend) -> Option<&ExternalStore> {
        self.store(backend).and_then(|store| store.external.as_ref())
    }

    /// The stores that the operator runs.
    pub fn embedded(&self) -> impl Iterator<Item = Backend> {
        Backend::ALL.into_iter().filter(|store| self.keeper(*store) == Keeper::Operator)
    }

    /// The names of the Secrets that images are pulled with.
    #[must_use]
    pub fn pull_secrets(&self) -> &[String] {
        self.images.as_ref().map_or(&[], |images| images.pull_secrets.as_slice())
    }
}

/// The definition of the resource as it is committed and installed.
pub fn yaml() -> Result<String, serde_saphyr::ser::Error> {
    let body = serde_saphyr::to_string(&EcommerceStack::crd())?;
    Ok(format!(
        "# Made by `operator crd` from operator/src/crd/. Do not edit; change the types and make it again.\n{body}"
    ))
}

#[cfg(test)]
mod tests {
    /// `kubectl apply` keeps a copy in an annotation, of which an object has 256 KB in all.
    #[test]
    fn the_definition_is_small_enough_to_be_applied() {
        let bytes = super::yaml().unwrap().len();
        assert!(bytes < 200_000, "{bytes} bytes");
    }
}
