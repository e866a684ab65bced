//! One process of a service: a relay and a consumer, which end as `ecommerce_process` has them end.

use std::collections::HashSet;
use std::time::Duration;

use ecommerce_contract::events::OrderPaid;
use ecommerce_contract::{Envelope, Event, Service};
use ecommerce_courier::{Connections, Consumer, Failure, Handle, Relay};
use ecommerce_postgres::{Pool, Settings, outbox};
use ecommerce_runtime::{Shutdown, Tasks};
use ecommerce_testing::{Broker, Database};
use ecommerce_types::Clock;
use sqlx::PgConnection;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Answers each event with another one, once: the row that says so is its state, and says with which.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answers;

impl Handle for Answers {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        ecommerce_postgres::transaction(connection, async |transaction: &mut PgConnection| {
            let mut answers = Vec::new();
            for envelope in events {
                let order_id = envelope.event.order_id();
                let answer = Envelope::new(&Clock::system(), None, Event::OrderPaid(OrderPaid { order_id }));
                let row = "insert into idempotency_keys (user_id, method, path, key, request_hash, status, body)
                           values ($1, '', '', '', '', 1, $2) on conflict do nothing";
                let row = sqlx::query(row).bind(envelope.id.0).bind(answer.id.0.as_bytes().as_slice());
                if row.execute(&mut *transaction).await?.rows_affected() == 1 {
                    answers.push(answer);
                }
            }
            outbox::append(transaction, &answers).await?;
            Ok(answers)
        })
        .await
    }
}

/// One that runs.
pub(crate) struct Replica {
    pub(crate) shutdown: Shutdown,
    running: JoinHandle<()>,
}

impl Replica {
    /// A process of the service order.
    pub(crate) fn start(connections: &Connections, database: &Settings, drain_timeout: Duration) -> Self {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        let of_relay = Pool::for_relay(database, "test").unwrap();
        let (relay, outgoing) = Relay::new(connections.clone(), of_relay, Clock::system());
        let consumer = Consumer {
            connections: connections.clone(),
            service: Service::Order,
            pool: Pool::for_background(database, "test").unwrap(),
            clock: Clock::system(),
            outgoing,
            handler: Answers,
        };
        tasks.spawn_last("relay", |end| relay.run(end));
        tasks.spawn("consumer", consumer.run(shutdown.clone()));
        let running = tokio::spawn(async move { tasks.run(async {}, drain_timeout).await.unwrap() });
        Self { shutdown, running }
    }

    /// Tells it to stop, and waits for its end.
    pub(crate) async fn stop(self) {
        self.shutdown.stop();
        self.running.await.unwrap();
    }
}

/// With which events those that came were answered.
pub(crate) async fn answers(database: &Database) -> HashSet<Uuid> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("select body from idempotency_keys").fetch_all(&database.pool).await.unwrap();
    rows.iter().map(|id| Uuid::from_slice(id).unwrap()).collect()
}

/// Which of them have come where they are read, since this was asked last.
pub(crate) async fn arrived(broker: &Broker) -> HashSet<Uuid> {
    let mut arrived = HashSet::new();
    while let Some(body) = broker.take("product").await {
        arrived.insert(serde_json::from_slice::<Envelope>(&body).unwrap().id.0);
    }
    arrived
}
