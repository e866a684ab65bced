//! One event that always fails, as if it might work later, or that ends the process; and those that came with it.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ecommerce_contract::{Envelope, Service};
use ecommerce_courier::{Failure, Handle};
use ecommerce_runtime::{Shutdown, metrics};
use ecommerce_testing::eventually::DEADLINE;
use ecommerce_testing::{Broker, Database, eventually};
use ecommerce_types::{EventId, OrderId};
use sqlx::PgConnection;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::{connections, consumer, payment_requested, stock_reserved, stores};

/// Writes a row for each event; the database does not take a batch that the culprit is in, until it is mended.
#[derive(Debug, Clone)]
struct Rows {
    culprit: OrderId,
    is_mended: Arc<AtomicBool>,
}

impl Handle for Rows {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        if !self.is_mended.load(Ordering::SeqCst)
            && events.iter().any(|envelope| envelope.event.order_id() == self.culprit)
        {
            return Err(Failure::Retry(sqlx::Error::WorkerCrashed));
        }
        for EventId(id) in events.iter().map(|envelope| envelope.id) {
            let row = "insert into idempotency_keys (user_id, method, path, key, request_hash, status, body)
                       values ($1, '', '', '', '', 1, '') on conflict do nothing";
            sqlx::query(row).bind(id).execute(&mut *connection).await?;
        }
        Ok(Vec::new())
    }
}

async fn effects(database: &Database) -> i64 {
    sqlx::query_scalar("select count(*) from idempotency_keys").fetch_one(&database.pool).await.unwrap()
}

#[tokio::test]
async fn an_event_that_always_fails_holds_up_none_that_came_with_it() {
    culprit_among(99).await;
}

#[tokio::test]
async fn an_event_that_always_fails_holds_up_none_that_comes_after_it() {
    culprit_among(0).await;
}

/// One that always fails, so many that come with it, and some that come later; the queue is no other test's of this process, since the gauge is.
async fn culprit_among(others: i64) {
    let (broker, database) = stores().await;
    broker.declare().await;
    let culprit = payment_requested();
    for number in 0..=others {
        broker.publish(&if number == others / 2 { culprit.clone() } else { payment_requested() }).await;
    }
    let is_mended = Arc::new(AtomicBool::new(false));
    start(&broker, &database, Rows { culprit: culprit.event.order_id(), is_mended: is_mended.clone() });
    eventually("the others have their effect", || async { (effects(&database).await == others).then_some(()) }).await;
    for number in 1..=3 {
        broker.publish(&payment_requested()).await;
        let so_far = others + number;
        eventually("one that comes later, too", || async { (effects(&database).await == so_far).then_some(()) }).await;
    }
    let shown = "\necommerce_events_waiting{queue=\"payment\"} 1\n";
    eventually("it is shown", || async { metrics::render().contains(shown).then_some(()) }).await;
    let age = "ecommerce_event_age_seconds_count{type=\"order.payment_requested\"}";
    assert!(metrics::render().contains(age), "how old an event was when it was handled");
    eventually("it alone waits", || async { (broker.depth("payment").await == Some(1)).then_some(()) }).await;
    assert_eq!(broker.take("payment.dead").await, None);

    is_mended.store(true, Ordering::SeqCst);
    eventually("its effect", || async { (effects(&database).await == others + 4).then_some(()) }).await;
    eventually("it is acknowledged", || async { (broker.depth("payment").await == Some(0)).then_some(()) }).await;
}

fn start(broker: &Broker, database: &Database, handler: Rows) {
    tokio::spawn(
        consumer(connections(broker, Service::Payment), Service::Payment, database, handler).run(Shutdown::new()),
    );
}

/// Writes a row for each event; where the culprit is among them, the process is at its end.
#[derive(Debug, Clone)]
struct Deadly {
    rows: Rows,
    met: Arc<Notify>,
}

impl Handle for Deadly {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        if events.iter().any(|envelope| envelope.event.order_id() == self.rows.culprit) {
            self.met.notify_one();
            return pending().await;
        }
        self.rows.handle(connection, events).await
    }
}

/// Twelve lives: in ten it takes along what came with it, and then what comes after it and before it is handled without it.
#[tokio::test]
async fn an_event_that_ends_the_process_ends_it_alone() {
    const EVENTS: i64 = 250;
    let (broker, database) = stores().await;
    broker.declare().await;
    let culprit = stock_reserved();
    for number in 0..EVENTS {
        broker.publish(&if number == EVENTS / 3 { culprit.clone() } else { stock_reserved() }).await;
    }
    let (rows, met) = (Rows { culprit: culprit.event.order_id(), is_mended: Arc::default() }, Arc::new(Notify::new()));
    let handler = Deadly { rows: rows.clone(), met: met.clone() };
    for _ in 0..12 {
        let running = tokio::spawn(
            consumer(connections(&broker, Service::Order), Service::Order, &database, handler.clone())
                .run(Shutdown::new()),
        );
        timeout(DEADLINE, met.notified()).await.unwrap();
        running.abort();
        running.await.unwrap_err();
        eventually("the broker has them back", || async {
            (i64::from(broker.waiting("order").await) == EVENTS - effects(&database).await).then_some(())
        })
        .await;
    }
    assert_eq!((effects(&database).await, broker.waiting("order").await), (EVENTS - 1, 1));
    assert_eq!(broker.take("order.dead").await, None);

    rows.is_mended.store(true, Ordering::SeqCst);
    tokio::spawn(consumer(connections(&broker, Service::Order), Service::Order, &database, rows).run(Shutdown::new()));
    eventually("its effect", || async { (effects(&database).await == EVENTS).then_some(()) }).await;
}

/// It was in hand at each of the deaths, and nothing comes after it that could bring it on.
#[tokio::test]
async fn a_batch_that_was_handed_out_again_and_again_is_handled_although_nothing_comes_after_it() {
    const EVENTS: i64 = 10;
    let (broker, database) = stores().await;
    broker.declare().await;
    let events: Vec<Envelope> = (0..EVENTS).map(|_| stock_reserved()).collect();
    for event in &events {
        broker.publish(event).await;
    }
    let stuck = Stuck::default();
    for _ in 0..11 {
        let running = tokio::spawn(
            consumer(connections(&broker, Service::Order), Service::Order, &database, stuck.clone())
                .run(Shutdown::new()),
        );
        timeout(DEADLINE, stuck.0.notified()).await.unwrap();
        eventually("it has them in hand", || async { (broker.waiting("order").await == 0).then_some(()) }).await;
        running.abort();
        running.await.unwrap_err();
        eventually("they are back", || async { (i64::from(broker.waiting("order").await) == EVENTS).then_some(()) })
            .await;
    }
    let rows = Rows { culprit: payment_requested().event.order_id(), is_mended: Arc::default() };
    tokio::spawn(consumer(connections(&broker, Service::Order), Service::Order, &database, rows).run(Shutdown::new()));
    eventually("their effects", || async { (effects(&database).await == EVENTS).then_some(()) }).await;
    eventually("they are acknowledged", || async { (broker.depth("order").await == Some(0)).then_some(()) }).await;
}

/// Never comes to an end; tells when it has begun. A consumer that ends before its first event may leave its connection open: the
/// client library closes one that is dropped by way of a consumer that it has handed out.
#[derive(Debug, Clone, Default)]
struct Stuck(Arc<Notify>);

impl Handle for Stuck {
    async fn handle(&self, _: &mut PgConnection, _: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        self.0.notify_one();
        pending().await
    }
}
