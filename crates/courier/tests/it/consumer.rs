use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use ecommerce_contract::{Envelope, Service};
use ecommerce_courier::{Failure, Handle};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Broker, Database, eventually};
use ecommerce_types::OrderId;
use sqlx::PgConnection;

use crate::{connections, consumer, stock_reserved, stores};

/// Writes a row for each event that has none, so that effects can be counted; before that, the database takes no writes as often
/// as told.
#[derive(Debug, Clone, Default)]
struct Rows {
    failures: Arc<AtomicU32>,
}

impl Handle for Rows {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        let counted_down = |left: u32| left.checked_sub(1);
        let fails = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted_down).is_ok();
        write_rows(connection, events, fails).await
    }
}

async fn write_rows(
    connection: &mut PgConnection,
    events: &[Envelope],
    read_only: bool,
) -> Result<Vec<Envelope>, Failure> {
    ecommerce_postgres::transaction(connection, async |transaction: &mut PgConnection| {
        if read_only {
            sqlx::query("set transaction read only").execute(&mut *transaction).await?;
        }
        for envelope in events {
            let row = "insert into idempotency_keys (user_id, method, path, key, request_hash, status, body)
                       values ($1, '', '', '', '', 1, '') on conflict do nothing";
            sqlx::query(row).bind(envelope.id.0).execute(&mut *transaction).await?;
        }
        Ok(Vec::new())
    })
    .await
}

async fn start(broker: &Broker, database: &Database, handler: impl Handle) {
    let consumer = consumer(connections(broker, Service::Order), Service::Order, database, handler);
    tokio::spawn(consumer.run(Shutdown::new()));
    broker.ready().await;
}

async fn effects(database: &Database) -> i64 {
    sqlx::query_scalar("select count(*) from idempotency_keys").fetch_one(&database.pool).await.unwrap()
}

#[tokio::test]
async fn a_message_waits_while_the_database_takes_no_writes_and_is_no_dead_letter() {
    let (broker, database) = stores().await;
    let failures = Arc::new(AtomicU32::new(5));
    start(&broker, &database, Rows { failures: failures.clone() }).await;
    broker.publish(&stock_reserved()).await;
    eventually("the effect", || async { (effects(&database).await == 1).then_some(()) }).await;
    assert_eq!(failures.load(Ordering::SeqCst), 0);
    assert_eq!(broker.take("order.dead").await, None);
}

#[tokio::test]
async fn messages_repeated_to_many_consumers_with_lost_connections_have_their_effect_once() {
    let (broker, database) = stores().await;
    for _ in 0..3 {
        start(&broker, &database, Rows::default()).await;
    }
    for round in 0..10 {
        for _ in 0..20 {
            let event = stock_reserved();
            broker.publish(&event).await;
            broker.publish(&event).await;
        }
        if round % 4 == 1 {
            broker.cut_connections().await;
        }
    }
    eventually("every effect", || async { (effects(&database).await >= 200).then_some(()) }).await;
    eventually("an empty queue", || async { (broker.depth("order").await == Some(0)).then_some(()) }).await;
    assert_eq!(effects(&database).await, 200);
    assert_eq!(broker.take("order.dead").await, None);
}

/// Refuses until it is told to stop, and takes everything afterwards, as a database does that comes back just then.
#[derive(Debug, Clone)]
struct BackAtTheEnd {
    shutdown: Shutdown,
    asked: Arc<AtomicU32>,
}

impl Handle for BackAtTheEnd {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        write_rows(connection, events, !self.shutdown.is_stopped()).await
    }
}

/// More than a batch, so that a second one waits behind the first.
const TWO_BATCHES: i64 = 150;

#[tokio::test]
async fn a_batch_that_was_not_committed_is_in_the_queue_after_the_end() {
    for _ in 0..ecommerce_testing::scale(50, 20) {
        let (broker, database) = stores().await;
        broker.declare().await;
        for _ in 0..TWO_BATCHES {
            broker.publish(&stock_reserved()).await;
        }
        let (shutdown, asked) = (Shutdown::new(), Arc::new(AtomicU32::new(0)));
        let consumer = consumer(
            connections(&broker, Service::Order),
            Service::Order,
            &database,
            BackAtTheEnd { shutdown: shutdown.clone(), asked: asked.clone() },
        );
        let running = tokio::spawn(consumer.run(shutdown.clone()));
        eventually("a batch has failed", || async { (asked.load(Ordering::SeqCst) > 0).then_some(()) }).await;
        shutdown.stop();
        running.await.unwrap();
        let done = effects(&database).await;
        eventually("what had no effect waits", || async {
            (i64::from(broker.waiting("order").await) == TWO_BATCHES - done).then_some(())
        })
        .await;
    }
}

/// Writes a row for each event whose order it can read.
#[derive(Debug, Clone)]
struct Older {
    cannot_read: Arc<Mutex<HashSet<OrderId>>>,
}

impl Handle for Older {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        if events.iter().any(|envelope| self.cannot_read.lock().unwrap().contains(&envelope.event.order_id())) {
            return Err(sqlx::Error::Decode("no such status".into()).into());
        }
        write_rows(connection, events, false).await
    }
}

#[tokio::test]
async fn what_only_a_newer_version_can_read_waits_for_it_and_holds_up_no_other() {
    newer_messages_among(20).await;
}

#[tokio::test]
async fn what_only_a_newer_version_can_read_waits_for_it_alone_in_the_queue_too() {
    newer_messages_among(0).await;
}

/// One of a type and one about a row with a status that this version does not know, what nobody can read, and so many others.
async fn newer_messages_among(others: i64) {
    let (broker, database) = stores().await;
    let of_a_newer_row = stock_reserved();
    let cannot_read = Arc::new(Mutex::new(HashSet::from([of_a_newer_row.event.order_id()])));
    start(&broker, &database, Older { cannot_read: cannot_read.clone() }).await;
    let mut of_a_newer_kind = serde_json::to_value(stock_reserved()).unwrap();
    of_a_newer_kind["type"] = "stock.counted".into();
    broker.publish_bytes("stock.reserved", of_a_newer_kind.to_string().as_bytes()).await;
    broker.publish(&of_a_newer_row).await;
    broker.publish_bytes("stock.reserved", b"no envelope").await;
    for _ in 0..others {
        broker.publish(&stock_reserved()).await;
    }
    eventually("the others have their effect", || async { (effects(&database).await == others).then_some(()) }).await;
    eventually("two wait", || async { (broker.depth("order").await == Some(2)).then_some(()) }).await;
    let dead = eventually("what nobody can read is a dead letter", || broker.take("order.dead")).await;
    assert_eq!(dead, b"no envelope");
    assert_eq!(effects(&database).await, others);

    // The newer version takes over; it knows what this row means.
    cannot_read.lock().unwrap().clear();
    broker.cut_connections().await;
    eventually("its effect", || async { (effects(&database).await == others + 1).then_some(()) }).await;
    assert_eq!(broker.take("order.dead").await, None);
}

/// As a version that is rolled back and rolled again does; the broker counts each time.
#[tokio::test]
async fn what_only_a_newer_version_can_read_is_no_dead_letter_however_often_it_was_handed_out() {
    let (broker, database) = stores().await;
    broker.declare().await;
    let mut of_a_newer_kind = serde_json::to_value(stock_reserved()).unwrap();
    of_a_newer_kind["type"] = "stock.counted".into();
    broker.publish_bytes("stock.reserved", of_a_newer_kind.to_string().as_bytes()).await;
    for others in 1..=25 {
        let shutdown = Shutdown::new();
        let consumer = consumer(connections(&broker, Service::Order), Service::Order, &database, Rows::default());
        broker.publish(&stock_reserved()).await;
        let running = tokio::spawn(consumer.run(shutdown.clone()));
        eventually("the other has its effect", || async { (effects(&database).await == others).then_some(()) }).await;
        eventually("it is handed out", || async { (broker.waiting("order").await == 0).then_some(()) }).await;
        shutdown.stop();
        running.await.unwrap();
        eventually("it is handed back", || async { (broker.waiting("order").await == 1).then_some(()) }).await;
    }
    assert_eq!(broker.take("order.dead").await, None);
}

/// As after a roll back: hundreds of messages that only the newer version can read, and behind them what both can.
#[tokio::test]
async fn with_too_many_of_them_in_hand_the_rest_is_left_to_others_and_the_process_still_ends() {
    const ASIDE: usize = 200;
    let (broker, database) = stores().await;
    broker.declare().await;
    let cannot_read = Arc::new(Mutex::new(HashSet::new()));
    for _ in 0..ASIDE {
        let event = stock_reserved();
        cannot_read.lock().unwrap().insert(event.event.order_id());
        broker.publish(&event).await;
    }
    let consumer = |handler: Older| consumer(connections(&broker, Service::Order), Service::Order, &database, handler);
    for _ in 0..50 {
        broker.publish(&stock_reserved()).await;
    }
    let older = Shutdown::new();
    let running = tokio::spawn(consumer(Older { cannot_read }).run(older.clone()));
    eventually("nothing more is taken", || async {
        (i64::from(broker.waiting("order").await) + effects(&database).await == 50).then_some(())
    })
    .await;

    // The newer version takes what is left, and the rest when the older one has ended.
    tokio::spawn(consumer(Older { cannot_read: Arc::default() }).run(Shutdown::new()));
    eventually("the others have their effect", || async { (effects(&database).await == 50).then_some(()) }).await;
    older.stop();
    running.await.unwrap();
    eventually("so have those", || async { (effects(&database).await == 50 + 200).then_some(()) }).await;
    assert_eq!(broker.take("order.dead").await, None);
}
