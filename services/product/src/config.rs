//! What the product service is told when it starts.

use ecommerce_runtime::settings::{Drain, Listen, Logs};

/// The service's settings, each a variable of the environment.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// What it logs.
    #[command(flatten)]
    pub logs: Logs,
    /// How it ends.
    #[command(flatten)]
    pub drain: Drain,
    /// Who may call it.
    #[command(flatten)]
    pub api_keys: ecommerce_http::api_key::Settings,
    /// Its database.
    #[command(flatten)]
    pub database: ecommerce_postgres::Settings,
    /// The broker.
    #[command(flatten)]
    pub broker: ecommerce_rabbit::Settings,
    /// Where its cache is.
    #[command(flatten)]
    pub redis: ecommerce_redis::Settings,
}
