//! What the operator says of a stack.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What the operator found, and what it says of it.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EcommerceStackStatus {
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// `Ready`, `Available`, `BackendsReady`, `Migrated`, `ServicesReady`, `Degraded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_owned()]))]
    pub conditions: Vec<Condition>,

    /// Where the gateway is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,

    /// The version of the services that the stack is to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,

    /// The last migration of each service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["service".to_owned()]))]
    pub migrations: Vec<MigrationStatus>,

    /// The pods of each service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub services: Vec<ServiceStatus>,

    /// The stores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_owned()]))]
    pub stores: Vec<StoreStatus>,
}

/// The last migration of a service.
#[derive(schemars::JsonSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationStatus {
    /// The service.
    pub service: String,
    /// The image that migrates.
    pub image: String,
    /// What it is known by: the image, the database and what it is told.
    pub key: String,
    /// How it stands.
    pub state: MigrationState,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// When one that failed, or left something to do, is made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// The end of a failed one's log, or what one that succeeded has left for a person to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How a migration stands.
#[derive(schemars::JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MigrationState {
    /// Its Job is there.
    Running,
    /// The database is as the image needs it.
    Succeeded,
    /// It is not; the pods that were there go on.
    Failed,
}

/// The pods of a service.
#[derive(schemars::JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// The service.
    pub name: String,
    /// The image that its pods run, or are to run where there are none.
    pub image: String,
    /// Pods that are to be there.
    pub replicas: i32,
    /// Pods that serve.
    pub ready: i32,
}

/// A store.
#[derive(schemars::JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreStatus {
    /// The store.
    pub name: String,
    /// The image that its pod runs, or is to run where there is none. Absent of one that somebody else runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Where it is reached: host and port, as the services are told. Empty while nobody has said so.
    #[serde(default)]
    pub address: String,
    /// Whether it serves; one that somebody else runs, whether every login was tried there.
    pub ready: bool,
    /// The size of its volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
}
