//! The product service: what the shop sells, what it costs, and how many there are.
//!
//! Here live the catalogue, its stock, and the promise that no piece is sold twice. Prices of orders and their clock live in
//! the order service. To add an endpoint: a file under `routes/` named for its path, a line in its `router()`, and its test
//! under the same path in `tests/it/`.

mod catalogue;
mod config;
mod consumer;
mod domain;
mod error;
mod metrics;
mod past_deadline;
mod routes;
mod state;
mod store;

use clap::ArgMatches;
use ecommerce_contract::Service;
use ecommerce_courier::{Connections, Consumer, Outgoing, Relay, dead_letters};
use ecommerce_http::api_key::{self, KnownKeys};
use ecommerce_postgres::{Batching, Pool, housekeeping};
use ecommerce_process::{App, Host, Tool, Use};
use ecommerce_redis::Redis;
use ecommerce_types::Clock;
use sqlx::migrate::Migrator;

use crate::catalogue::Catalogue;
pub use crate::config::Config;
use crate::error::Error;
pub use crate::metrics::METRICS;
pub use crate::routes::openapi;
use crate::state::State;
use crate::store::reservations;

/// The product service's schema.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/product")
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The callers' keys are not known.
    #[error(transparent)]
    ApiKeys(#[from] api_key::Error),
    /// What is said of the database cannot be.
    #[error(transparent)]
    Postgres(#[from] ecommerce_postgres::InvalidSettings),
    /// What is said of the broker cannot be.
    #[error(transparent)]
    Rabbit(#[from] ecommerce_courier::Error),
    /// `REDIS_URL` is none.
    #[error(transparent)]
    Redis(#[from] ecommerce_redis::Error),
}

/// `product dead-letters`
pub const DEAD_LETTERS: Tool =
    Tool { name: "dead-letters", arguments: dead_letters::arguments::<Config>, run: look_at_dead_letters };

fn look_at_dead_letters(matches: ArgMatches) -> Use {
    Box::pin(async move {
        let (config, command) = dead_letters::settings::<Config>(&matches)?;
        let pool = Pool::for_background(&config.postgres, "product dead-letters")?;
        let catalogue = Catalogue::new(pool.clone(), &Redis::connect(&config.redis).await?);
        let consumer =
            consumer(Connections::to(&config.rabbit)?, pool, Clock::system(), catalogue, Outgoing::nowhere());
        Ok(dead_letters::run(&command, &consumer).await?)
    })
}

fn consumer(
    connections: Connections,
    pool: Pool,
    clock: Clock,
    catalogue: Catalogue,
    outgoing: Outgoing,
) -> Consumer<consumer::Reservations> {
    Consumer {
        connections,
        service: Service::Product,
        pool,
        clock: clock.clone(),
        outgoing,
        handler: consumer::Reservations::new(clock, catalogue),
    }
}

/// Puts the service together. The stores and the broker may still be away.
pub async fn build(config: Config, host: Host) -> Result<App, BuildError> {
    let connections = Connections::to(&config.rabbit)?;
    let keys = KnownKeys::read(&config.api_keys, host.clock.clone())?;
    let pool = Pool::new(&config.postgres, "product")?;
    let background = Pool::for_background(&config.postgres, "product")?;
    let redis = Redis::connect(&config.redis).await?;
    let catalogue = Catalogue::new(pool.clone(), &redis);

    let of_relay = Pool::for_relay(&config.postgres, "product")?;
    let (relay, outgoing) = Relay::new(connections.clone(), of_relay, host.clock.clone());
    let consumer = consumer(connections.clone(), background.clone(), host.clock.clone(), catalogue.clone(), outgoing);
    let mut tasks = host.tasks();
    let shutdown = &host.shutdown;
    tasks.spawn_last("relay", |end| relay.run(end));
    tasks.spawn("consumer", consumer.run(shutdown.clone()));
    let forget_keys = housekeeping::run(pool.clone(), shutdown.clone(), ecommerce_idempotency::forget_old);
    tasks.spawn("old idempotency keys", forget_keys);
    let clock = host.clock.clone();
    let let_go = housekeeping::run(pool.clone(), shutdown.clone(), move |pool| reservations::let_go(pool, clock.now()));
    tasks.spawn("old reservations", let_go);
    let past_deadline = past_deadline::run(background, host.clock.clone(), shutdown.clone());
    tasks.spawn("reservations past their deadline", past_deadline);

    let state = State { pool: pool.clone(), clock: host.clock.clone(), catalogue, pricing: Batching::default() };
    let app = host.called_by_services(keys, routes::router().with_state(state), tasks);
    let app = app.ready_once_reached("PostgreSQL", move || ecommerce_postgres::reach(pool.clone()));
    let app = app.ready_once_reached("RabbitMQ", move || connections.clone().reach());
    Ok(app.ready_once_reached("Redis", move || redis.clone().reach()))
}
