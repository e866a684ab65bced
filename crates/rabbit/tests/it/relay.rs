use std::collections::HashSet;

use ecommerce_contract::Service;
use ecommerce_rabbit::Relay;
use ecommerce_runtime::{Notifier, Shutdown};
use ecommerce_testing::{Broker, Database, eventually};

use crate::{order_paid, stock_reserved, stores, unsent, write};

fn start(broker: &Broker, database: &Database, sender: Service) -> Notifier {
    let committed = Notifier::new();
    let relay =
        Relay { settings: broker.settings(sender), pool: database.service_pool(), committed: committed.clone() };
    tokio::spawn(relay.run(Shutdown::new()));
    committed
}

#[tokio::test]
async fn events_that_were_committed_before_the_start_are_sent() {
    let (broker, database) = stores().await;
    let event = order_paid();
    write(&database, std::slice::from_ref(&event)).await;
    start(&broker, &database, Service::Order);
    broker.ready().await;
    assert_eq!(broker.next("product").await, event);
    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn an_event_that_no_queue_takes_stays_and_holds_up_no_other() {
    let (broker, database) = stores().await;
    sqlx::query("insert into outbox (id, routing_key, body) values ('00000000-0000-7000-8000-000000000000', 'order.unread', '{}')")
        .execute(&database.pool)
        .await
        .unwrap();
    let event = order_paid();
    write(&database, std::slice::from_ref(&event)).await;
    start(&broker, &database, Service::Order);
    broker.ready().await;
    assert_eq!(broker.next("product").await, event);
    eventually("one event is left", || async { (unsent(&database).await == 1).then_some(()) }).await;
}

#[tokio::test]
async fn a_service_cannot_speak_under_the_name_of_another() {
    let (broker, database) = stores().await;
    start(&broker, &database, Service::Order);
    broker.ready().await;
    let imposter = stock_reserved();
    write(&database, &[imposter]).await;
    let (other, its_database) = (Database::create(sqlx::migrate!("../../migrations/order")).await, order_paid());
    write(&other, std::slice::from_ref(&its_database)).await;
    start(&broker, &other, Service::Order);
    assert_eq!(broker.next("product").await, its_database, "the broker works");
    assert_eq!(broker.take("order").await, None);
    assert_eq!(unsent(&database).await, 1);
}

#[tokio::test]
async fn many_relays_and_lost_connections_lose_nothing() {
    let (broker, database) = stores().await;
    let relays: Vec<_> = (0..3).map(|_| start(&broker, &database, Service::Order)).collect();
    broker.ready().await;
    let mut written = HashSet::new();
    for round in 0..10 {
        let events: Vec<_> = (0..50).map(|_| order_paid()).collect();
        write(&database, &events).await;
        written.extend(events.iter().map(|event| event.id));
        relays.iter().for_each(Notifier::notify);
        if round % 3 == 0 {
            broker.cut_connections().await;
        }
    }
    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
    let mut arrived = HashSet::new();
    while let Some(body) = broker.take("product").await {
        let envelope: ecommerce_contract::Envelope = serde_json::from_slice(&body).unwrap();
        arrived.insert(envelope.id);
    }
    assert_eq!(arrived, written);
}
