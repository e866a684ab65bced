//! The database is away while a process is told to stop.

use std::time::{Duration, Instant};

use ecommerce_contract::Service;
use ecommerce_postgres::Settings;
use ecommerce_testing::{Database, Link, eventually};
use secrecy::ExposeSecret as _;

use crate::replica::{Replica, answers, arrived};
use crate::{connections, stock_reserved, stores, unsent};

const EVENTS: usize = 50;

pub(crate) async fn behind_a_wire(database: &Database) -> (Link, Settings) {
    let wire = Link::to(database.settings.database_url.expose_secret()).await;
    let through = Settings { database_url: wire.url.to_string().into(), ..database.settings.clone() };
    (wire, through)
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
