//! What a person may say of the backing stores. PostgreSQL, RabbitMQ and Redis have the same shape.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{IS_IMAGE, Resources, SecretRef};
use crate::names::Backend;

/// A backing store: one that the operator runs, or one that is there already. Absent: `embedded`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!(has(self.embedded) && self.embedded != null && has(self.external) && self.external != null)")
    .message("name embedded or external, not both: a store is in one place"))]
pub struct Store {
    /// One that the operator runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded: Option<EmbeddedStore>,
    /// One that somebody else runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalStore>,
}

/// A store that somebody else runs: a managed one of a cloud, or one that its own operator replicates. Nothing of it goes with the
/// stack.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalStore {
    /// The Secret that says where it is and how to log in, with the keys of the service binding specification, or those that
    /// CloudNativePG and RabbitMQ's operator write. A change of it is taken within five minutes, once it was tried.
    pub secret_ref: SecretRef,

    /// The Secret with the certificates of the authorities that sign the server's, where that is another one, as with CloudNativePG:
    /// `<cluster>-ca`. With it TLS is spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates_ref: Option<SecretRef>,

    /// The keys of the Secret that have other names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<StoreKeys>,

    /// Whether the login may make others: the stack's databases, roles, vhost and users are then made there. False: what the
    /// Secret names is used as it is. Absent: true, and of Redis false, whose users are never the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<bool>,
}

/// The rule of a key in a Secret.
const IS_KEY: &str = "self.matches('^[-._a-zA-Z0-9]+$')";
/// What whoever breaks it reads.
const NO_KEY: &str = "keys name keys of a Secret: letters, digits, dots, dashes and underscores";

/// How the keys of the Secret are named. Absent: as in the service binding specification, or as CloudNativePG and RabbitMQ's
/// operator name them.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreKeys {
    /// The host's name. Absent: `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(IS_KEY).message(NO_KEY))]
    pub host: Option<String>,
    /// The port. Absent: `port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(IS_KEY).message(NO_KEY))]
    pub port: Option<String>,
    /// The login. Absent: `username`, or `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(IS_KEY).message(NO_KEY))]
    pub username: Option<String>,
    /// Its password. Absent: `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(IS_KEY).message(NO_KEY))]
    pub password: Option<String>,
    /// All of these in one. Absent: `uri`, `connection_string` or `fqdn-uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(IS_KEY).message(NO_KEY))]
    pub uri: Option<String>,
    /// The database to log in to first. Absent: `dbname` or `database`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(IS_KEY).message(NO_KEY))]
    pub dbname: Option<String>,
    /// The authorities that sign the server's certificate, in PEM. Absent: `certificates` or `ca.crt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(IS_KEY).message(NO_KEY))]
    pub certificates: Option<String>,
    /// Where RabbitMQ is managed over HTTP. Absent: `management-uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(IS_KEY).message(NO_KEY))]
    pub management_uri: Option<String>,
}

/// Who runs a store, and who makes what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keeper {
    /// The operator, both.
    Operator,
    /// Somebody else runs it, and the operator makes what the stack has there.
    Shared,
    /// Somebody else, both.
    Others,
}

impl ExternalStore {
    /// Who keeps it.
    #[must_use]
    pub fn keeper(&self, store: Backend) -> Keeper {
        let is_managed = self.managed.unwrap_or(true) && store != Backend::Redis;
        if is_managed { Keeper::Shared } else { Keeper::Others }
    }
}

/// A store that the operator runs: one pod, one volume.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EmbeddedStore {
    /// The image. Absent: the official one of the minor version that the operator knew when the stack was made. Of PostgreSQL it
    /// must be of the major version that has made the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 300))]
    #[x_kube(validation = Rule::new(IS_IMAGE)
        .message("image must name a digest or a tag that is never used twice; latest is neither"))]
    pub image: Option<String>,
    /// The volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// Processor and memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

/// A volume. It can not be given back once it is taken, so it never moves, and one that is larger than its size stays so.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// Its size, like `10Gi`. It may grow where the storage class allows it, and never shrinks: a smaller size changes nothing, as `BackendsReady` says, and `status.stores` says how large it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]*(Mi|Gi|Ti)$')").message("storage.size must be a whole number of Mi, Gi or Ti, like 10Gi"))]
    pub size: Option<String>,

    /// The storage class. Absent: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
}
