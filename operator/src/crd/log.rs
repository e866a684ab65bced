//! What a person may say of the services' logs.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What the services log. A change of it is taken within some two minutes, and no pod restarts for it.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// The least grave level of a line that is logged, and after it the targets that have another one: `info,order=debug`. A target
    /// is a service, one of its modules or of a library, as each line names it. Absent: `info`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^(off|error|warn|info|debug)(,[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z0-9_]+)*=(off|error|warn|info|debug))*$')")
        .message("log.filter must be a level, and after it the targets that have another, like info,order=debug; the levels are off, error, warn, info and debug"))]
    pub filter: Option<String>,
}
