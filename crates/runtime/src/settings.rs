//! Settings that all processes share; a service flattens them into its own `clap` struct.

use std::net::SocketAddr;
use std::time::Duration;

/// Where a process listens.
#[derive(Debug, Clone, clap::Args)]
pub struct Listen {
    /// The API's address.
    #[arg(long, env = "HTTP_ADDRESS", default_value = "0.0.0.0:8080")]
    pub http_address: SocketAddr,
    /// The address of health and metrics, which no client reaches.
    #[arg(long, env = "OPERATIONS_ADDRESS", default_value = "0.0.0.0:9090")]
    pub operations_address: SocketAddr,
}

/// What a process writes to its log.
#[derive(Debug, Clone, clap::Args)]
pub struct Logs {
    /// What is logged, as `tracing` filters are written: `info`, or `info,order=debug`.
    #[arg(long, env = "LOG_FILTER", default_value = "info")]
    pub log_filter: String,
    /// `json` for machines, `text` for a terminal.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// How a process ends.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Drain {
    /// Seconds between turning unready and taking no new connections, while the endpoints forget this pod.
    #[arg(long, env = "DRAIN_DELAY_SECONDS", default_value_t = 3)]
    pub drain_delay_seconds: u64,
    /// Seconds that requests and messages in hand may take to end; the relay may take as long again for what they committed.
    /// All of it fits into the 30 seconds that Kubernetes waits.
    #[arg(long, env = "DRAIN_TIMEOUT_SECONDS", default_value_t = 12)]
    pub drain_timeout_seconds: u64,
}

impl Drain {
    /// Between unready and closed.
    #[must_use]
    pub fn delay(self) -> Duration {
        Duration::from_secs(self.drain_delay_seconds)
    }

    /// Between closed and gone.
    #[must_use]
    pub fn timeout(self) -> Duration {
        Duration::from_secs(self.drain_timeout_seconds)
    }
}
