//! What a person may say of the backing stores. PostgreSQL, RabbitMQ and Redis have the same shape.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{IS_IMAGE, Resources};

/// A backing store.
#[derive(schemars::JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Store {
    /// One that the operator runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded: Option<EmbeddedStore>,
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
