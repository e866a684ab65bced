//! What the product service is told at its start.

use ecommerce_courier as rabbit;
use ecommerce_http::api_key;
use ecommerce_postgres as postgres;
use ecommerce_redis as redis;

/// The settings of `product serve`.
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
    /// The cache.
    #[command(flatten)]
    pub redis: redis::Settings,
}
