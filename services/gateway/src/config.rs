//! What the gateway is told when it starts.

use axum::http::Uri;
use ecommerce_contract::Service;
use ecommerce_runtime::settings::{Drain, Listen, Logs};
use secrecy::SecretString;

/// The gateway's settings, each a variable of the environment.
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
    /// Whose tokens it takes.
    #[command(flatten)]
    pub token: ecommerce_token::Settings,
    /// Where the sessions are.
    #[command(flatten)]
    pub redis: ecommerce_redis::Settings,
    /// The services behind it.
    #[command(flatten)]
    pub services: Behind,
}

/// The services behind the gateway: where each is, and the key of the edge to it.
#[derive(Debug, Clone, clap::Args)]
pub struct Behind {
    /// `http://host:port` of auth.
    #[arg(long, env = "AUTH_URL")]
    pub auth_url: Uri,
    /// The key to auth.
    #[arg(long, env = "AUTH_API_KEY", hide_env_values = true)]
    pub auth_api_key: SecretString,
    /// `http://host:port` of product.
    #[arg(long, env = "PRODUCT_URL")]
    pub product_url: Uri,
    /// The key to product.
    #[arg(long, env = "PRODUCT_API_KEY", hide_env_values = true)]
    pub product_api_key: SecretString,
    /// `http://host:port` of order.
    #[arg(long, env = "ORDER_URL")]
    pub order_url: Uri,
    /// The key to order.
    #[arg(long, env = "ORDER_API_KEY", hide_env_values = true)]
    pub order_api_key: SecretString,
    /// `http://host:port` of payment.
    #[arg(long, env = "PAYMENT_URL")]
    pub payment_url: Uri,
    /// The key to payment.
    #[arg(long, env = "PAYMENT_API_KEY", hide_env_values = true)]
    pub payment_api_key: SecretString,
}

impl Behind {
    /// Each service with its address and its key.
    #[must_use]
    pub fn all(&self) -> [(Service, &Uri, &SecretString); 4] {
        [
            (Service::Auth, &self.auth_url, &self.auth_api_key),
            (Service::Product, &self.product_url, &self.product_api_key),
            (Service::Order, &self.order_url, &self.order_api_key),
            (Service::Payment, &self.payment_url, &self.payment_api_key),
        ]
    }
}
