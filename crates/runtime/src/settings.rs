//! Settings that all processes share; a service flattens them into its own `clap` struct.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Threads that serve when nobody says how many.
const MOST_THREADS: usize = 4;

/// Where a process listens.
#[derive(Debug, Clone, clap::Args)]
pub struct Listen {
    /// The API's address; `[::]` takes IPv4 as well.
    #[arg(long, env = "HTTP_ADDRESS", default_value = "[::]:8080")]
    pub http_address: SocketAddr,
    /// The address of health and metrics, which no client reaches.
    #[arg(long, env = "OPERATIONS_ADDRESS", default_value = "[::]:9090")]
    pub operations_address: SocketAddr,
}

/// How much of the machine a process takes.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Threads {
    /// Threads that serve; as many as the machine has cores, and four at most, when absent. A container without a limit of
    /// processor time sees all cores of its node, and each thread takes memory of its own.
    #[arg(long, env = "WORKER_THREADS")]
    pub worker_threads: Option<NonZeroUsize>,
}

impl Threads {
    /// The number of threads on a machine with so many cores.
    #[must_use]
    pub fn count(self, cores: usize) -> usize {
        self.worker_threads.map_or(cores.clamp(1, MOST_THREADS), NonZeroUsize::get)
    }
}

/// What a process writes to its log.
#[derive(Debug, Clone, clap::Args)]
pub struct Logs {
    /// What is logged, as `tracing` filters are written: `info`, or `info,order=debug`.
    #[arg(long, env = "LOG_FILTER", default_value = "info")]
    pub log_filter: String,
    /// A file that holds a filter in place of `LOG_FILTER`, and is followed when it changes; an empty one holds none.
    #[arg(long, env = "LOG_FILTER_FILE")]
    pub log_filter_file: Option<PathBuf>,
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
    /// Seconds after that for which connections are kept on which nothing is asked: longer than our own clients keep theirs.
    #[arg(long, env = "DRAIN_IDLE_SECONDS", default_value_t = 6)]
    pub drain_idle_seconds: u64,
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

    /// Between closed and idle connections ended.
    #[must_use]
    pub fn idle(self) -> Duration {
        Duration::from_secs(self.drain_idle_seconds)
    }

    /// Between closed and gone.
    #[must_use]
    pub fn timeout(self) -> Duration {
        Duration::from_secs(self.drain_timeout_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_follow_the_pod_and_not_the_node() {
        let absent = Threads { worker_threads: None };
        assert_eq!([absent.count(0), absent.count(2), absent.count(64)], [1, 2, 4]);
        assert_eq!(Threads { worker_threads: NonZeroUsize::new(16) }.count(2), 16);
    }
}
