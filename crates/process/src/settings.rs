//! What every process is told.

use ecommerce_http::server;
use ecommerce_runtime::settings::{Drain, Listen, Logs, Threads};

/// The settings that all services share.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// What it logs.
    #[command(flatten)]
    pub logs: Logs,
    /// How it ends.
    #[command(flatten)]
    pub drain: Drain,
    /// How much of the machine it takes.
    #[command(flatten)]
    pub threads: Threads,
    /// How many clients it serves.
    #[command(flatten)]
    pub server: server::Settings,
}

impl Settings {
    /// Those of a service in a test: any free ports on loopback, and an end that waits for nobody who is idle.
    ///
    /// # Panics
    /// Never: the command line is a constant.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a command line that is a constant parses or does not compile a test")]
    pub fn for_tests() -> Self {
        use clap::{Args as _, FromArgMatches as _};
        let arguments = [
            "test",
            "--http-address=127.0.0.1:0",
            "--operations-address=127.0.0.1:0",
            "--log-format=text",
            "--drain-delay-seconds=0",
            "--drain-idle-seconds=0",
            "--drain-timeout-seconds=5",
        ];
        let matches = Self::augment_args(clap::Command::new("test")).get_matches_from(arguments);
        Self::from_arg_matches(&matches).expect("a command line of constants")
    }
}
