//! Events on their way out: handed over in memory, or found in the outbox.

use std::collections::HashSet;
use std::time::Duration;

use ecommerce_contract::{Envelope, Service};
use ecommerce_courier::{Connections, Outgoing, Relay};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Broker, Database, Link, eventually, within};
use ecommerce_types::{Clock, EventId, first_id_at};
use secrecy::ExposeSecret as _;

use crate::{connections, order_paid, stock_reserved, stores, unsent, write};

fn start(broker: &Broker, database: &Database, sender: Service) -> Outgoing {
    let (relay, outgoing) = Relay::new(connections(broker, sender), database.service_pool(), Clock::system());
    tokio::spawn(relay.run(Shutdown::new()));
    outgoing
}

/// As many as one page of a sweep holds, and one more.
const MORE_THAN_A_PAGE: i32 = 201;

/// Rows that lie before every other in the outbox.
async fn write_first(database: &Database, routing_key: &str) {
    let rows = "insert into outbox (id, routing_key, body, created_at)
                select ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, $1, '{}', now() - interval '1 minute'
                from generate_series(1, $2) as number";
    sqlx::query(rows).bind(routing_key).bind(MORE_THAN_A_PAGE).execute(&database.pool).await.unwrap();
}

#[tokio::test]
async fn events_that_were_committed_before_the_start_are_sent() {
    let (broker, database) = stores().await;
    let event = order_paid();
    write(&database, std::slice::from_ref(&event)).await;
    let _outgoing = start(&broker, &database, Service::Order);
    broker.ready().await;
    assert_eq!(broker.next("product").await, event);
    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn what_is_handed_over_is_sent_without_a_look_at_the_outbox_and_leaves_it() {
    let (broker, database) = stores().await;
    let outgoing = start(&broker, &database, Service::Order);
    broker.ready().await;
    let (unwritten, written) = (order_paid(), order_paid());
    outgoing.send([unwritten.clone()]);
    assert_eq!(broker.next("product").await, unwritten);
    write(&database, std::slice::from_ref(&written)).await;
    outgoing.send([written.clone()]);
    assert_eq!(broker.next("product").await, written);
    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
    assert_eq!(broker.take("product").await, None, "each is sent once");
}

#[tokio::test]
async fn events_that_no_queue_takes_stay_and_hold_up_no_other() {
    let (broker, database) = stores().await;
    write_first(&database, "order.unread").await;
    let event = order_paid();
    write(&database, std::slice::from_ref(&event)).await;
    let _outgoing = start(&broker, &database, Service::Order);
    broker.ready().await;
    assert_eq!(broker.next("product").await, event);
    let left = i64::from(MORE_THAN_A_PAGE);
    eventually("the others are left", || async { (unsent(&database).await == left).then_some(()) }).await;
}

#[tokio::test]
async fn of_a_page_in_which_some_are_taken_and_some_are_not_each_is_told_from_the_other() {
    let (broker, database) = stores().await;
    let mut good = HashSet::new();
    for _ in 0..100 {
        let event = order_paid();
        write(&database, std::slice::from_ref(&event)).await;
        good.insert(event.id);
        let unread = "insert into outbox (id, routing_key, body) values ($1, 'order.unread', '{}')";
        sqlx::query(unread).bind(Clock::system().new_id()).execute(&database.pool).await.unwrap();
    }
    let _outgoing = start(&broker, &database, Service::Order);
    broker.ready().await;
    let mut arrived = HashSet::new();
    while arrived.len() < good.len() {
        arrived.insert(broker.next("product").await.id);
    }
    assert_eq!(arrived, good);
    let left = "select count(*), count(*) filter (where routing_key = 'order.unread') from outbox";
    eventually("what no queue takes is left, and all of it", || async {
        let (all, unread): (i64, i64) = sqlx::query_as(left).fetch_one(&database.pool).await.unwrap();
        assert_eq!(unread, 100);
        (all == 100).then_some(())
    })
    .await;
}

#[tokio::test]
async fn events_for_which_the_broker_closes_the_channel_stay_and_hold_up_no_other() {
    let (broker, database) = stores().await;
    // Of another service: this one has no right to say so.
    write_first(&database, "stock.reserved").await;
    let (from_outbox, handed_over) = (order_paid(), order_paid());
    write(&database, std::slice::from_ref(&from_outbox)).await;
    let outgoing = start(&broker, &database, Service::Order);
    broker.ready().await;
    assert_eq!(broker.next("product").await, from_outbox);
    eventually("what is handed over is sent, too", || async {
        outgoing.send([handed_over.clone()]);
        broker.take("product").await
    })
    .await;
    let left = i64::from(MORE_THAN_A_PAGE);
    eventually("the others are left", || async { (unsent(&database).await == left).then_some(()) }).await;
}

/// None of them is in the outbox, where a sweep would find it.
#[tokio::test]
async fn an_event_that_is_handed_over_and_closes_the_channel_costs_no_other_and_no_connection() {
    let (broker, database) = stores().await;
    let outgoing = start(&broker, &database, Service::Order);
    broker.ready().await;
    let connections = eventually("it is connected", || async {
        Some(broker.connections().await).filter(|connections| !connections.is_empty())
    })
    .await;
    for _ in 0..3 {
        let (before, after) = (order_paid(), order_paid());
        // Of another service: this one has no right to say so.
        outgoing.send([before.clone(), stock_reserved(), after.clone()]);
        let mut missing = HashSet::from([before.id, after.id]);
        while !missing.is_empty() {
            missing.remove(&broker.next("product").await.id);
        }
    }
    assert_eq!(broker.connections().await, connections);
    assert_eq!(broker.take("order").await, None);
}

/// One by one, or with a connection for each try, they would take longer than a page of the outbox may.
#[tokio::test]
async fn what_lies_beside_an_event_that_closes_the_channel_is_sent_over_a_slow_way_too() {
    const OTHERS: usize = 60;
    let (broker, database) = stores().await;
    let mut settings = broker.settings(Service::Order);
    let wire = Link::to(settings.amqp_url.expose_secret()).await;
    settings.amqp_url = wire.url.to_string().into();
    let (relay, outgoing) = Relay::new(Connections::to(&settings).unwrap(), database.service_pool(), Clock::system());
    tokio::spawn(relay.run(Shutdown::new()));
    outgoing.send([order_paid()]);
    broker.ready().await;
    broker.next("product").await;

    wire.slow(Duration::from_millis(150));
    let events: Vec<Envelope> = (0..OTHERS).map(|_| order_paid()).collect();
    write(&database, &[events.as_slice(), &[stock_reserved()]].concat()).await;
    within(Duration::from_secs(40), "one event is left", || async { (unsent(&database).await == 1).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_queue_that_was_deleted_is_made_again_for_what_it_should_have() {
    let (broker, database) = stores().await;
    let outgoing = start(&broker, &database, Service::Order);
    broker.ready().await;
    broker.delete("product").await;
    let event = order_paid();
    write(&database, std::slice::from_ref(&event)).await;
    outgoing.send([event.clone()]);
    eventually("the queue is there again", || broker.depth("product")).await;
    assert_eq!(broker.next("product").await, event);
}

/// Most passes of the sweep begin a few seconds back.
#[tokio::test]
async fn what_has_waited_while_the_broker_was_away_for_long_is_sent_as_soon_as_it_is_back() {
    let (broker, database) = stores().await;
    let mut settings = broker.settings(Service::Order);
    let wire = Link::to(settings.amqp_url.expose_secret()).await;
    settings.amqp_url = wire.url.to_string().into();
    let connections = Connections::to(&settings).unwrap();
    let (relay, _outgoing) = Relay::new(connections, database.service_pool(), Clock::system());
    tokio::spawn(relay.run(Shutdown::new()));
    let event = order_paid();
    write(&database, std::slice::from_ref(&event)).await;
    broker.ready().await;
    assert_eq!(broker.next("product").await, event, "it looks");

    wire.cut();
    let mut old = order_paid();
    old.id = EventId(first_id_at(Clock::system().now() - Duration::from_hours(1)));
    write(&database, std::slice::from_ref(&old)).await;
    let is_old = "update outbox set created_at = now() - interval '1 hour'";
    sqlx::query(is_old).execute(&database.pool).await.unwrap();
    wire.mend();
    assert_eq!(broker.next("product").await, old);
}

#[tokio::test]
async fn a_service_cannot_speak_under_the_name_of_another() {
    let (broker, database) = stores().await;
    let outgoing = start(&broker, &database, Service::Order);
    broker.ready().await;
    let imposter = stock_reserved();
    write(&database, std::slice::from_ref(&imposter)).await;
    outgoing.send([imposter]);
    let (other, its_event) = (Database::create(sqlx::migrate!("../../migrations/order")).await, order_paid());
    write(&other, std::slice::from_ref(&its_event)).await;
    let _of_the_other = start(&broker, &other, Service::Order);
    assert_eq!(broker.next("product").await, its_event, "the broker works");
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
        relays[round % relays.len()].send(events);
        if round % 3 == 0 {
            broker.cut_connections().await;
        }
    }
    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
    let mut arrived = HashSet::new();
    while let Some(body) = broker.take("product").await {
        let envelope: Envelope = serde_json::from_slice(&body).unwrap();
        arrived.insert(envelope.id);
    }
    assert_eq!(arrived, written);
}
