//! The relay and the consumer on a real broker and a real database, with faults.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod commits;
mod connections;
mod consumer;
mod culprits;
mod dead_letters;
mod dump;
mod hearing;
mod outages;
mod passwords;
mod patience;
mod relay;
mod replica;
mod tls;

use ecommerce_contract::events::{OrderPaid, PaymentRequested, StockReserved};
use ecommerce_contract::{Envelope, Event, Service};
use ecommerce_courier::{Connections, Consumer, Handle, Outgoing};
use ecommerce_postgres::outbox;
use ecommerce_testing::{Broker, Database};
use ecommerce_types::{Clock, OrderId, PaymentId, UserId};

/// A broker, and a database with the tables that messages need.
async fn stores() -> (Broker, Database) {
    (Broker::create().await, Database::create(sqlx::migrate!("../../migrations/order")).await)
}

/// As a process of this service connects.
fn connections(broker: &Broker, service: Service) -> Connections {
    Connections::to(&broker.settings(service)).unwrap()
}

/// Of this service's queue; what it handles brings no event about.
fn consumer<H: Handle>(connections: Connections, service: Service, database: &Database, handler: H) -> Consumer<H> {
    Consumer {
        connections,
        service,
        pool: database.service_pool(),
        clock: Clock::system(),
        outgoing: Outgoing::nowhere(),
        handler,
    }
}

fn order_paid() -> Envelope {
    let clock = Clock::system();
    Envelope::new(&clock, None, Event::OrderPaid(OrderPaid { order_id: OrderId::new(&clock) }))
}

fn payment_requested() -> Envelope {
    let clock = Clock::system();
    let requested = PaymentRequested {
        order_id: OrderId::new(&clock),
        payment_id: PaymentId::new(&clock),
        customer_id: UserId::new(&clock),
        amount: 1250,
        currency: "EUR".parse().unwrap(),
        payment_method: None,
        pay_by: clock.now(),
    };
    Envelope::new(&clock, None, Event::PaymentRequested(requested))
}

fn stock_reserved() -> Envelope {
    let clock = Clock::system();
    Envelope::new(&clock, None, Event::StockReserved(StockReserved { order_id: OrderId::new(&clock) }))
}

async fn write(database: &Database, events: &[Envelope]) {
    let mut transaction = database.pool.begin().await.unwrap();
    outbox::append(&mut transaction, events).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn unsent(database: &Database) -> i64 {
    sqlx::query_scalar("select count(*) from outbox").fetch_one(&database.pool).await.unwrap()
}
