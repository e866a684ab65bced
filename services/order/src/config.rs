//! What the order service is told at its start.

use ecommerce_courier as rabbit;
use ecommerce_http::{api_key, edge_key};
use ecommerce_postgres as postgres;
use time::Duration;
use url::Url;

/// The settings of `order serve`.
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
    /// Where product is.
    #[arg(long, env = "PRODUCT_URL")]
    pub product_url: Url,
    /// The keys of the edges to the services that order calls.
    #[command(flatten)]
    pub edge_keys: edge_key::Settings,
    /// Seconds from placing an order to its payment deadline, when it expires unpaid.
    #[arg(long, env = "PAYMENT_DEADLINE_SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub payment_deadline_seconds: u32,
    /// Seconds from its payment deadline until an order whose money was asked for expires: what was paid in time is on its way for a moment.
    #[arg(long, env = "PAYMENT_GRACE_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(0..=600))]
    pub payment_grace_seconds: u32,
}

impl Config {
    /// From placing an order to its payment deadline, when it expires unpaid.
    #[must_use]
    pub fn time_to_pay(&self) -> Duration {
        Duration::seconds(i64::from(self.payment_deadline_seconds))
    }

    /// From its payment deadline until an order whose money was asked for expires.
    #[must_use]
    pub fn payment_grace(&self) -> Duration {
        Duration::seconds(i64::from(self.payment_grace_seconds))
    }
}
