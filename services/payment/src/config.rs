//! What the payment service is told at its start.

use std::time::Duration;

use ecommerce_courier as rabbit;
use ecommerce_http::api_key;
use ecommerce_postgres as postgres;

use crate::provider::simulator;

/// The settings of `payment serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// The keys of those who may call.
    #[command(flatten)]
    pub api_keys: api_key::Settings,
    /// The database.
    #[command(flatten)]
    pub postgres: postgres::Settings,
    /// The broker.
    #[command(flatten)]
    pub rabbit: rabbit::Settings,
    /// Who takes the money.
    #[command(flatten)]
    pub provider: ProviderSettings,
}

/// Who takes the money.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // flattened into the one command line
pub struct ProviderSettings {
    /// The payment provider.
    #[arg(long, env = "PAYMENT_PROVIDER", value_enum, default_value_t = Kind::Simulator)]
    pub payment_provider: Kind,
    /// Milliseconds that the provider may take to answer; what it does after that is looked up.
    #[arg(long, env = "PAYMENT_PROVIDER_TIMEOUT_MILLISECONDS", default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub payment_provider_timeout_milliseconds: u64,
    /// The most calls to the provider at once, of what no customer waits for; a quarter is kept for refunds, and an eighth as many
    /// look up beside them what was voided.
    #[arg(long, env = "PAYMENT_PROVIDER_MOST_CALLS", default_value_t = 64, value_parser = most_calls)]
    pub payment_provider_most_calls: usize,
    /// How the simulator behaves.
    #[command(flatten)]
    pub simulator: simulator::Settings,
}

/// The payment providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A ledger in this service's own database; no real money moves.
    Simulator,
}

fn most_calls(text: &str) -> Result<usize, String> {
    let most = text.parse().ok().filter(|most| (4..=1_000).contains(most));
    most.ok_or_else(|| "the most calls to the provider at once are 4 to 1000".to_owned())
}

impl ProviderSettings {
    /// How long the provider may take to answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.payment_provider_timeout_milliseconds)
    }
}
