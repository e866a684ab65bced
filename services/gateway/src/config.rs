//! What the gateway is told when it starts.

use ecommerce_contract::Service;
use ecommerce_http::edge_key;
use url::Url;

/// The gateway's settings, each a variable of the environment.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Whose tokens it takes.
    #[command(flatten)]
    pub token: ecommerce_token::Settings,
    /// Where the sessions are.
    #[command(flatten)]
    pub redis: ecommerce_redis::Settings,
    /// The services behind it.
    #[command(flatten)]
    pub upstreams: Upstreams,
    /// The keys of the edges to them.
    #[command(flatten)]
    pub edge_keys: edge_key::Settings,
    /// Proxies of ours before the gateway, such as an ingress: each adds to `x-forwarded-for` whom it was called by, and a
    /// client's address is found so many hops from the right. 0: clients connect by themselves, and nothing is believed.
    #[arg(long, env = "TRUSTED_PROXIES", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=10))]
    pub trusted_proxies: u8,
}

/// Where the services behind the gateway are: `http://host:port` of each.
#[derive(Debug, Clone, clap::Args)]
pub struct Upstreams {
    /// Where auth is: `http://host:port`.
    #[arg(long, env = "AUTH_URL")]
    pub auth_url: Url,
    /// Where product is.
    #[arg(long, env = "PRODUCT_URL")]
    pub product_url: Url,
    /// Where order is.
    #[arg(long, env = "ORDER_URL")]
    pub order_url: Url,
    /// Where payment is.
    #[arg(long, env = "PAYMENT_URL")]
    pub payment_url: Url,
}

impl Upstreams {
    /// Each service with its address.
    #[must_use]
    pub fn all(&self) -> [(Service, &Url); 4] {
        [
            (Service::Auth, &self.auth_url),
            (Service::Product, &self.product_url),
            (Service::Order, &self.order_url),
            (Service::Payment, &self.payment_url),
        ]
    }
}
