//! What the operator is told at its start.

use std::net::SocketAddr;

/// The operator's settings; the chart sets them.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// What stands before `/<service>:<version>` where a stack names nothing else.
    #[arg(long, env = "SERVICES_REGISTRY", default_value = "ecommerce-stack")]
    pub services_registry: String,
    /// The version of the services for stacks that name none.
    #[arg(long, env = "SERVICES_VERSION")]
    pub services_version: String,
    /// The operator's own image: the provisioning Job runs it.
    #[arg(long, env = "OPERATOR_IMAGE")]
    pub operator_image: String,
    /// The operator's own namespace: the Lease of its leader is there.
    #[arg(long, env = "OPERATOR_NAMESPACE", default_value = "ecommerce-system")]
    pub operator_namespace: String,
    /// The name of this replica in the Lease.
    #[arg(long, env = "POD_NAME", default_value = "operator")]
    pub pod_name: String,
    /// Health and metrics.
    #[arg(long, env = "OPERATIONS_ADDRESS", default_value = "[::]:9090")]
    pub operations_address: SocketAddr,
}
