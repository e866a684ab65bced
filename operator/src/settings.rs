//! What the operator is told at its start.

use std::net::SocketAddr;
use std::time::Duration;

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
    /// Each stack is looked at again after so many seconds, whether something happened or not.
    #[arg(long, env = "RESYNC_SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub resync_seconds: u64,
    /// So many seconds may one look at a stack take; then it is cut off and tried again.
    #[arg(long, env = "RECONCILE_LIMIT_SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub reconcile_limit_seconds: u64,
    /// The most seconds between two tries of a stack that fails; between looks at one that is not ready, a fifth of it.
    #[arg(long, env = "LONGEST_BACKOFF_SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub longest_backoff_seconds: u64,
    /// Health and metrics.
    #[arg(long, env = "OPERATIONS_ADDRESS", default_value = "[::]:9090")]
    pub operations_address: SocketAddr,
}

impl Settings {
    /// Each stack is looked at again after this time.
    #[must_use]
    pub fn resync(&self) -> Duration {
        Duration::from_secs(self.resync_seconds)
    }

    /// A watch is opened anew after so many seconds, also one that hangs without a word: a stack that nobody knows of yet waits no longer
    /// than one that is looked at again. No watch may last longer than what kube takes for the most, nor so short that it costs more than
    /// it tells.
    #[must_use]
    pub fn watch_seconds(&self) -> u32 {
        u32::try_from(self.resync_seconds).unwrap_or(u32::MAX).clamp(5, 290)
    }

    /// One look at a stack takes no longer.
    #[must_use]
    pub fn reconcile_limit(&self) -> Duration {
        Duration::from_secs(self.reconcile_limit_seconds)
    }

    /// The most between two tries of a stack that fails.
    #[must_use]
    pub fn longest_backoff(&self) -> Duration {
        Duration::from_secs(self.longest_backoff_seconds)
    }
}
