//! The database is away: for longer than the broker waits for an acknowledgement, and while a process is told to stop.

use std::time::{Duration, Instant};

use ecommerce_contract::Service;
use ecommerce_postgres::Settings;
use ecommerce_testing::{Broker, Database, Link, RabbitMq, eventually, throughout};
use secrecy::ExposeSecret as _;

use crate::replica::{Replica, answers, arrived};
use crate::{connections, stock_reserved, stores, unsent};

/// The broker takes back what is not acknowledged for so many milliseconds, and looks for such as often: a week and a minute with us.
const PATIENCE: &str = "{consumer_timeout, 1000}, {channel_tick_interval, 500}";
/// What comes back so often is handed out once more, and then a dead letter: 20 with us.
const LIMIT: u32 = 3;
/// As many as the limit allows: what is taken back from one is handed to the next.
const REPLICAS: usize = 4;
/// Longer than the patience with each of them, one after the other, and with all once more.
const OUTAGE: Duration = Duration::from_secs(12);
const EVENTS: usize = 50;

async fn behind_a_wire(database: &Database) -> (Link, Settings) {
    let wire = Link::to(database.settings.database_url.expose_secret()).await;
    let through = Settings { database_url: wire.url.to_string().into(), ..database.settings.clone() };
    (wire, through)
}

/// Each time that the broker takes a message back counts. So a consumer that cannot commit does not come for more: whatever the
/// outage, a message comes to each replica once.
#[tokio::test]
async fn an_outage_of_the_database_that_outlasts_the_brokers_patience_makes_no_dead_letter() {
    let rabbitmq = RabbitMq::start(PATIENCE).await;
    let migrator = sqlx::migrate!("../../migrations/order");
    let (broker, database) = tokio::join!(Broker::create_on(rabbitmq.server.clone()), Database::create(migrator));
    broker.limit_deliveries(Service::Order, LIMIT).await;
    broker.declare().await;
    let (wire, through) = behind_a_wire(&database).await;
    wire.cut();
    let replica = || Replica::start(&connections(&broker, Service::Order), &through, Duration::from_secs(12));
    let _replicas: [Replica; REPLICAS] = std::array::from_fn(|_| replica());
    for _ in 0..EVENTS {
        broker.publish(&stock_reserved()).await;
    }
    throughout(OUTAGE, "no message is a dead letter", || async { broker.waiting("order.dead").await == 0 }).await;
    wire.mend();
    eventually("every effect", || async { (answers(&database).await.len() == EVENTS).then_some(()) }).await;
    eventually("every event is sent", || async { (unsent(&database).await == 0).then_some(()) }).await;
    eventually("all are acknowledged", || async { (broker.depth("order").await == Some(0)).then_some(()) }).await;
    assert_eq!(arrived(&broker).await, answers(&database).await);
    assert_eq!(broker.take("order.dead").await, None);
}

/// What the consumer may take for what it has in hand, and then the relay for what that has committed.
const DRAIN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_process_that_is_told_to_stop_while_the_database_is_silent_ends_in_time_and_leaves_the_rest_to_another() {
    stop_during(Link::clog).await;
}

#[tokio::test]
async fn a_process_that_is_told_to_stop_while_the_database_is_away_ends_in_time_and_leaves_the_rest_to_another() {
    stop_during(Link::cut).await;
}

async fn stop_during(outage: impl Fn(&Link)) {
    let (broker, database) = stores().await;
    let (wire, through) = behind_a_wire(&database).await;
    let first = Replica::start(&connections(&broker, Service::Order), &through, DRAIN);
    broker.ready().await;
    broker.publish(&stock_reserved()).await;
    eventually("it works", || async {
        (answers(&database).await.len() == 1 && unsent(&database).await == 0).then_some(())
    })
    .await;

    outage(&wire);
    for _ in 0..EVENTS {
        broker.publish(&stock_reserved()).await;
    }
    eventually("it has them in hand", || async { (broker.waiting("order").await == 0).then_some(()) }).await;
    let told = Instant::now();
    first.stop().await;
    assert!(told.elapsed() < DRAIN * 2 + Duration::from_secs(2), "ended after {:?}", told.elapsed());
    assert_eq!(answers(&database).await.len(), 1);
    eventually("what it had in hand waits", || async {
        (usize::try_from(broker.waiting("order").await) == Ok(EVENTS)).then_some(())
    })
    .await;

    let second = Replica::start(&connections(&broker, Service::Order), &database.settings, DRAIN);
    eventually("every effect", || async { (answers(&database).await.len() == EVENTS + 1).then_some(()) }).await;
    eventually("every event is sent", || async { (unsent(&database).await == 0).then_some(()) }).await;
    assert_eq!(arrived(&broker).await, answers(&database).await);
    assert_eq!(broker.take("order.dead").await, None);
    second.stop().await;
}
