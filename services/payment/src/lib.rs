//! Payments: charged at most once, and given back when their order ends without a sale.
//!
//! `domain/` decides and touches nothing; `store/` holds all SQL; `routes/` is what a client reaches, one file an endpoint;
//! `consumer.rs` is what order publishes; `provider/` is who takes the money, and `attempts/` is how it is asked, so that no crash
//! charges twice or keeps what is not ours. To add an endpoint: a file in `routes/payments/`, a line in its `router()`, a test
//! of the same name. To add a provider: see [`provider`].

mod answer;
mod attempts;
mod config;
mod consumer;
mod domain;
mod error;
mod metrics;
mod provider;
mod routes;
mod state;
mod store;
mod view;

use clap::ArgMatches;
use ecommerce_contract::Service;
use ecommerce_courier::{Connections, Consumer, Outgoing, Relay, dead_letters};
use ecommerce_http::api_key::{self, KnownKeys};
use ecommerce_postgres::{Pool, housekeeping};
use ecommerce_process::{App, Host, Tool, Use};
use ecommerce_types::Clock;
use sqlx::migrate::Migrator;

use crate::attempts::{Attempts, Queue, Recorder, voided, worker};
pub use crate::config::Config;
pub use crate::metrics::METRICS;
use crate::provider::{Provider, Simulator};
pub use crate::routes::openapi;
use crate::state::State;
use crate::store::retention;

/// The payment service's schema.
#[must_use]
pub fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/payment")
}

/// What a process needs beside the provider's own time to bring an attempt to its end, and ten seconds by which the clocks of two
/// replicas may differ.
const HOLD_MARGIN: time::Duration = time::Duration::seconds(12);

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
}

/// `payment dead-letters`
pub const DEAD_LETTERS: Tool =
    Tool { name: "dead-letters", arguments: dead_letters::arguments::<Config>, run: look_at_dead_letters };

fn look_at_dead_letters(matches: ArgMatches) -> Use {
    Box::pin(async move {
        let (config, command) = dead_letters::settings::<Config>(&matches)?;
        let pool = Pool::for_background(&config.postgres, "payment dead-letters")?;
        // What it begins is nobody's that lives: a process that serves takes it over.
        let attempts = attempts(&config, pool, Clock::system(), Outgoing::nowhere());
        let consumer = consumer(Connections::to(&config.rabbit)?, attempts, Outgoing::nowhere());
        Ok(dead_letters::run(&command, &consumer).await?)
    })
}

fn consumer(connections: Connections, attempts: Attempts, outgoing: Outgoing) -> Consumer<consumer::Payments> {
    Consumer {
        connections,
        service: Service::Payment,
        pool: attempts.pool.clone(),
        clock: attempts.clock.clone(),
        outgoing,
        handler: consumer::Payments { attempts },
    }
}

fn attempts(config: &Config, pool: Pool, clock: Clock, outgoing: Outgoing) -> Attempts {
    let timeout = config.provider.timeout();
    let provider = match config.provider.payment_provider {
        config::Kind::Simulator => {
            Provider::Simulator(Simulator::new(pool.clone(), config.provider.simulator, timeout))
        }
    };
    Attempts {
        pool,
        holder: clock.new_id(),
        clock,
        provider,
        // A look-up and a charge, each as long as it may take.
        hold_time: HOLD_MARGIN + timeout * 2,
        most_calls: config.provider.payment_provider_most_calls,
        queue: Queue::default(),
        recorder: Recorder::default(),
        outgoing,
    }
}

/// Puts the service together. The database and the broker may still be away.
#[expect(clippy::unused_async, reason = "every service is built so; this one has nothing to wait for")]
pub async fn build(config: Config, host: Host) -> Result<App, BuildError> {
    let connections = Connections::to(&config.rabbit)?;
    let keys = KnownKeys::read(&config.api_keys, host.clock.clone())?;
    let pool = Pool::new(&config.postgres, "payment")?;
    let background = Pool::for_background(&config.postgres, "payment")?;
    let of_relay = Pool::for_relay(&config.postgres, "payment")?;
    let (relay, outgoing) = Relay::new(connections.clone(), of_relay, host.clock.clone());
    // Of what no customer waits for.
    let by_itself = attempts(&config, background.clone(), host.clock.clone(), outgoing.clone());
    let attempts = Attempts { pool: pool.clone(), ..by_itself.clone() };

    let consumer = consumer(connections.clone(), by_itself.clone(), outgoing);
    let mut tasks = host.tasks();
    let shutdown = &host.shutdown;
    tasks.spawn_last("relay", |end| relay.run(end));
    tasks.spawn("consumer", consumer.run(shutdown.clone()));
    tasks.spawn("attempts", worker::run(by_itself.clone(), shutdown.clone()));
    tasks.spawn("voided charges", voided::run(by_itself, shutdown.clone()));
    let forget_keys = housekeeping::run(pool.clone(), shutdown.clone(), ecommerce_idempotency::forget_old);
    tasks.spawn("old idempotency keys", forget_keys);
    let clock = host.clock.clone();
    let forget_attempts = move |pool| retention::forget_attempts(pool, clock.now());
    tasks.spawn("old attempts", housekeeping::run(background.clone(), shutdown.clone(), forget_attempts));
    let clock = host.clock.clone();
    let forget_tombstones = move |pool| retention::forget_tombstones(pool, clock.now());
    tasks.spawn("old tombstones", housekeeping::run(background.clone(), shutdown.clone(), forget_tombstones));
    let clock = host.clock.clone();
    let forget_declines = move |pool| retention::forget_declines(pool, clock.now());
    tasks.spawn("old declines", housekeeping::run(background, shutdown.clone(), forget_declines));

    let app = host.called_by_services(keys, routes::router().with_state(State { attempts }), tasks);
    let app = app.ready_once_reached("PostgreSQL", move || ecommerce_postgres::reach(pool.clone()));
    Ok(app.ready_once_reached("RabbitMQ", move || connections.clone().reach()))
}
