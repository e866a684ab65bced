//! Orders: placed at the catalogue's prices, given their stock and their money through messages, and ended exactly once.
//!
//! `domain/` decides and touches nothing; `store/` holds all SQL; `routes/` is what a client reaches, one file an endpoint;
//! `consumer.rs` is what other services publish; `payment_deadline.rs` is the clock. To add an endpoint: a file in `routes/orders/`, a
//! line in its `router()`, a test of the same name.

mod config;
mod consumer;
mod domain;
mod error;
mod metrics;
mod payment_deadline;
mod repeat;
mod routes;
mod state;
mod store;

use std::time::Duration;

use clap::ArgMatches;
use ecommerce_contract::Service;
use ecommerce_courier::{Connections, Consumer, Hearing, Outgoing, Relay, dead_letters};
use ecommerce_http::api_key::{self, KnownKeys};
use ecommerce_http::client::{self, Peer};
use ecommerce_http::edge_key::{self, EdgeKey};
use ecommerce_postgres::{Batching, Pool, housekeeping};
use ecommerce_process::{App, Host, Tool, Use};
use ecommerce_types::Clock;
use sqlx::migrate::Migrator;

pub use crate::config::Config;
pub use crate::metrics::METRICS;
use crate::payment_deadline::Deadlines;
pub use crate::repeat::REPEAT;
pub use crate::routes::openapi;
use crate::state::State;

/// The order service's schema.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/order")
}

/// How long product may take to name its prices.
const CATALOGUE: Duration = Duration::from_secs(2);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The callers' keys are not known.
    #[error(transparent)]
    ApiKeys(#[from] api_key::Error),
    /// The key of the edge to product is not known.
    #[error(transparent)]
    EdgeKey(#[from] edge_key::Error),
    /// What is said of the database cannot be.
    #[error(transparent)]
    Postgres(#[from] ecommerce_postgres::InvalidSettings),
    /// What is said of the broker cannot be.
    #[error(transparent)]
    Rabbit(#[from] ecommerce_courier::Error),
    /// `PRODUCT_URL` is none that can be asked.
    #[error(transparent)]
    Product(#[from] client::Error),
}

/// `order dead-letters`
pub const DEAD_LETTERS: Tool =
    Tool { name: "dead-letters", arguments: dead_letters::arguments::<Config>, run: look_at_dead_letters };

fn look_at_dead_letters(matches: ArgMatches) -> Use {
    Box::pin(async move {
        let (config, command) = dead_letters::settings::<Config>(&matches)?;
        let pool = Pool::for_background(&config.postgres, "order dead-letters")?;
        let connections = Connections::to(&config.rabbit)?;
        let consumer = consumer(connections, pool, Clock::system(), Outgoing::nowhere(), Hearing::default());
        Ok(dead_letters::run(&command, &consumer).await?)
    })
}

fn consumer(
    connections: Connections,
    pool: Pool,
    clock: Clock,
    outgoing: Outgoing,
    hearing: Hearing,
) -> Consumer<consumer::Orders> {
    let handler = consumer::Orders { clock: clock.clone(), hearing };
    Consumer { connections, service: Service::Order, pool, clock, outgoing, handler }
}

/// Puts the service together. The stores and the broker may still be away.
#[expect(clippy::unused_async, reason = "every service is built so; this one has nothing to wait for")]
pub async fn build(config: Config, host: Host) -> Result<App, BuildError> {
    let connections = Connections::to(&config.rabbit)?;
    let time_to_pay = config.time_to_pay();
    let keys = KnownKeys::read(&config.api_keys, host.clock.clone())?;
    let product_key = EdgeKey::read(&config.edge_keys, Service::Product)?;
    let pool = Pool::new(&config.postgres, "order")?;
    let background = Pool::for_background(&config.postgres, "order")?;
    let product = Peer::new(config.product_url.clone(), product_key.clone(), CATALOGUE, host.clock.clone())?;

    let of_relay = Pool::for_relay(&config.postgres, "order")?;
    let (relay, outgoing) = Relay::new(connections.clone(), of_relay, host.clock.clone());
    let hearing = Hearing::default();
    let consumer =
        consumer(connections.clone(), background.clone(), host.clock.clone(), outgoing.clone(), hearing.clone());
    let deadlines = Deadlines {
        pool: background,
        clock: host.clock.clone(),
        grace: config.payment_grace(),
        hearing,
        outgoing: outgoing.clone(),
    };
    let mut tasks = host.tasks();
    let shutdown = &host.shutdown;
    tasks.spawn("product key", product_key.follow(shutdown.clone()));
    tasks.spawn_last("relay", |end| relay.run(end));
    tasks.spawn("consumer", consumer.run(shutdown.clone()));
    tasks.spawn("payment deadlines", deadlines.run(shutdown.clone()));
    let forget_keys = housekeeping::run(pool.clone(), shutdown.clone(), ecommerce_idempotency::forget_old);
    tasks.spawn("old idempotency keys", forget_keys);

    let state = State {
        pool: pool.clone(),
        clock: host.clock.clone(),
        product,
        time_to_pay,
        placing: Batching::default(),
        outgoing,
    };
    let app = host.called_by_services(keys, routes::router().with_state(state), tasks);
    let app = app.ready_once_reached("PostgreSQL", move || ecommerce_postgres::reach(pool.clone()));
    Ok(app.ready_once_reached("RabbitMQ", move || connections.clone().reach()))
}
