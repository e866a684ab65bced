//! A broker that takes messages back when they are not acknowledged in time, and gives up what it has handed out too often.

use std::time::Duration;

use ecommerce_contract::Service;
use ecommerce_testing::{Broker, Database, Link, RabbitMq, eventually, figure, scale, throughout};
use futures::future::join_all;

use crate::outages::behind_a_wire;
use crate::replica::{Replica, answers, arrived};
use crate::{connections, stock_reserved, unsent};

/// How long the broker waits for an acknowledgement.
const PATIENCE: Duration = Duration::from_secs(1);
/// After as many it gives a message up, and as many replicas there are: an outage costs a message a delivery to each of them.
const DELIVERIES: u32 = 3;
/// More than one batch, and fewer than the broker hands out ahead.
const EVENTS: u32 = 300;
const DRAIN: Duration = Duration::from_secs(12);

#[tokio::test]
async fn a_database_that_is_away_for_longer_than_the_broker_waits_makes_no_dead_letters() {
    outlast_the_broker(Link::cut).await;
}

#[tokio::test]
async fn a_database_that_is_silent_for_longer_than_the_broker_waits_makes_no_dead_letters() {
    outlast_the_broker(Link::clog).await;
}

async fn outlast_the_broker(outage: impl Fn(&Link)) {
    let rabbitmq = RabbitMq::impatient(PATIENCE).await;
    let migrator = sqlx::migrate!("../../migrations/order");
    let (broker, database) = tokio::join!(Broker::create_on(rabbitmq.server.clone()), Database::create(migrator));
    broker.limit_deliveries(DELIVERIES).await;
    let (wire, through) = behind_a_wire(&database).await;
    let start = |_| Replica::start(&connections(&broker, Service::Order), &through, DRAIN);
    let replicas: Vec<Replica> = (0..DELIVERIES).map(start).collect();
    broker.ready().await;

    outage(&wire);
    // All at once: one after the other, the broker would have taken the first back before it has the last.
    let events: Vec<_> = (0..EVENTS).map(|_| stock_reserved()).collect();
    join_all(events.iter().map(|event| broker.publish(event))).await;
    let away = PATIENCE * u32::try_from(scale(30, 6)).unwrap();
    eventually("the broker has handed them out", || async { (broker.waiting("order").await == 0).then_some(()) }).await;
    throughout(away, "no message is given up", || async { broker.waiting("order.dead").await == 0 }).await;
    assert_eq!(broker.waiting("order").await, EVENTS, "the broker has taken them back, and nobody asks for more");
    wire.mend();

    eventually("every effect", || async { (answers(&database).await.len() == EVENTS as usize).then_some(()) }).await;
    eventually("every event is sent", || async { (unsent(&database).await == 0).then_some(()) }).await;
    eventually("all are acknowledged", || async { (broker.depth("order").await == Some(0)).then_some(()) }).await;
    assert_eq!(broker.waiting("order.dead").await, 0);
    assert_eq!(arrived(&broker).await, answers(&database).await);
    figure("how often the broker's patience ended while the database was away", away.as_secs() / PATIENCE.as_secs());
    for replica in replicas {
        replica.stop().await;
    }
}
