//! The gateway: the shop's one door.
//!
//! Here lives what happens to a request before a service sees it: its token is verified, its rights are looked up, what may
//! be passed on is picked out, and what the services believe is set. No business rule lives here, and no database. To add a
//! route: a row of [`routes::TABLE`].

mod admission;
mod answers;
mod bad_tokens;
mod body;
mod config;
mod error;
mod fence;
mod headers;
mod host;
mod keys;
mod metrics;
mod openapi;
mod remembered_sessions;
mod router;
mod routes;
mod services;
mod verified_tokens;

use ecommerce_contract::Service;
use ecommerce_http::client::{self, Peer};
use ecommerce_http::edge_key::{self, EdgeKey};
use ecommerce_process::{App, Host};
use ecommerce_redis::{Redis, Sessions};

pub use config::{Config, Upstreams};
pub use metrics::METRICS;
pub use openapi::openapi;

use admission::Admission;
use error::Error;
use fence::Fence;
use keys::Keys;
use services::{Services, SettingError};
use verified_tokens::VerifiedTokens;

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address of a service is of no use.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The key of an edge is not known.
    #[error(transparent)]
    EdgeKey(#[from] edge_key::Error),
    /// `AUTH_URL` is none that can be asked.
    #[error(transparent)]
    Auth(#[from] client::Error),
    /// `REDIS_URL` is of no use.
    #[error(transparent)]
    Redis(#[from] ecommerce_redis::Error),
    /// A row of the table has no service to forward to, or a method that no router knows.
    #[error("the route {0} cannot be served")]
    Route(String),
}

/// Puts the gateway together. Neither Redis nor the services need to be there yet; it is ready once it
/// has reached Redis and has had auth's keys.
pub async fn build(config: Config, host: Host) -> Result<App, BuildError> {
    let clock = host.clock.clone();
    let mut tasks = host.tasks();
    let mut edges = Vec::new();
    for (service, url) in config.upstreams.all() {
        let key = EdgeKey::read(&config.edge_keys, service)?;
        tasks.spawn("edge key", key.clone().follow(host.shutdown.clone()));
        edges.push((service, url.clone(), key));
    }
    let auth_key = EdgeKey::read(&config.edge_keys, Service::Auth)?;
    tasks.spawn("auth's key", auth_key.clone().follow(host.shutdown.clone()));
    let auth = Peer::new(config.upstreams.auth_url, auth_key, keys::ANSWER, clock.clone())?;
    let keys = Keys::new(auth, config.token, clock.clone());
    let redis = Redis::connect(&config.redis).await?;
    let sessions = Sessions::new(redis.clone());
    let fence = Fence::default();
    tasks.spawn("fence", fence.clone().follow(sessions.clone(), host.shutdown.clone()));
    let tokens = VerifiedTokens::new(keys.clone(), sessions, fence, clock.clone());
    let admission = Admission::new(tokens);
    tasks.spawn("keys", keys.clone().follow(host.shutdown.clone()));

    let routes = router::router(admission, Services::new(edges, clock)?)?;
    let app = host.called_by_clients(config.trusted_proxies, routes, tasks);
    let app = app.ready_once_reached("Redis", move || redis.clone().reach());
    Ok(app.ready_once("auth", move || keys.are_known()))
}
