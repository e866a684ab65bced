//! The connections of one process, and what a broker in need does to them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecommerce_contract::{Envelope, Service};
use ecommerce_courier::{Connections, Relay};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Broker, Database, Link, RabbitMq, eventually, throughout};
use ecommerce_types::Clock;
use secrecy::ExposeSecret as _;

use crate::replica::{Replica, answers, arrived};
use crate::{connections, order_paid, payment_requested, stock_reserved, stores, unsent, write};

const DRAIN: Duration = Duration::from_secs(12);

/// Methods of AMQP 0-9-1, by class and number.
const DECLARE_EXCHANGE: [u8; 4] = [0, 40, 0, 10];
const CONSUME: [u8; 4] = [0, 60, 0, 20];
const ASK_FOR_CONFIRMS: [u8; 4] = [0, 85, 0, 10];

/// How often a method was sent: a frame of the kind 1, its channel, its size, and then the method.
fn count(heard: &Mutex<Vec<u8>>, method: [u8; 4]) -> usize {
    let heard = heard.lock().unwrap();
    let is_sent = |frame: &&[u8]| frame[0] == 1 && frame[3..5] == [0, 0] && frame[7..] == method;
    heard.windows(11).filter(is_sent).count()
}

/// Connections of a process of the service order, all of whose bytes are kept.
async fn overheard(broker: &Broker, heard: &Arc<Mutex<Vec<u8>>>) -> (Link, Connections) {
    let mut settings = broker.settings(Service::Order);
    let listener = heard.clone();
    let wire = Link::heard(settings.amqp_url.expose_secret(), move || {
        let listener = listener.clone();
        Box::new(move |bytes| listener.lock().unwrap().extend(bytes))
    })
    .await;
    settings.amqp_url = wire.url.to_string().into();
    (wire, Connections::to(&settings).unwrap())
}

#[tokio::test]
async fn a_process_declares_the_topology_once_and_again_when_it_has_lost_the_broker() {
    let (broker, database) = stores().await;
    let heard = Arc::default();
    let (wire, connections) = overheard(&broker, &heard).await;
    let _replica = Replica::start(&connections, &database.settings, DRAIN);
    connections.clone().reach().await.unwrap();
    for time in 1..=3 {
        eventually("both ways are open", || async {
            let open = count(&heard, CONSUME) == time && count(&heard, ASK_FOR_CONFIRMS) == time;
            open.then_some(())
        })
        .await;
        assert_eq!(count(&heard, DECLARE_EXCHANGE), time);
        wire.cut();
        eventually("a loss is noticed", || async { connections.clone().reach().await.is_err().then_some(()) }).await;
        wire.mend();
    }
}

/// So many events that what the relay publishes is more than one batch.
const EVENTS: usize = 300;
/// Longer than the relay waits for confirms.
const LONG: Duration = Duration::from_secs(13);

/// What takes messages makes room for what sends them: a broker in need must hear their acknowledgements.
#[tokio::test]
async fn while_the_brokers_disk_is_full_effects_are_committed_and_acknowledged_and_their_events_wait() {
    let rabbitmq = RabbitMq::start().await;
    let migrator = sqlx::migrate!("../../migrations/order");
    let (broker, database) = tokio::join!(Broker::create_on(rabbitmq.server.clone()), Database::create(migrator));
    broker.declare().await;
    for _ in 0..EVENTS {
        broker.publish(&stock_reserved()).await;
    }
    rabbitmq.fill_disk().await;
    let replica = Replica::start(&connections(&broker, Service::Order), &database.settings, DRAIN);
    eventually("every effect", || async { (answers(&database).await.len() == EVENTS).then_some(()) }).await;
    eventually("all are acknowledged", || async { (broker.depth("order").await == Some(0)).then_some(()) }).await;
    assert!(unsent(&database).await > 0, "the broker takes nothing");
    throughout(LONG, "one connection waits, and no other is made", || async { broker.connections().await.len() <= 2 })
        .await;

    rabbitmq.empty_disk().await;
    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
    assert_eq!(arrived(&broker).await, answers(&database).await);
    replica.stop().await;
}

/// So many that the relay publishes them at once.
const A_BATCH: usize = 150;

/// What was published before is confirmed late, and what comes back is handed out with a confirm that nobody listens for any more.
#[tokio::test]
async fn what_no_queue_takes_after_a_broker_was_in_need_is_not_taken_for_sent() {
    let rabbitmq = RabbitMq::start().await;
    let migrator = sqlx::migrate!("../../migrations/order");
    let (broker, database) = tokio::join!(Broker::create_on(rabbitmq.server.clone()), Database::create(migrator));
    let heard = Arc::default();
    let (_wire, of_relay) = overheard(&broker, &heard).await;
    let (relay, outgoing) = Relay::new(of_relay, database.service_pool(), Clock::system());
    let shutdown = Shutdown::new();
    let running = tokio::spawn(relay.run(shutdown.clone()));
    let hand_over = async |events: Vec<Envelope>| {
        write(&database, &events).await;
        outgoing.send(events);
    };
    hand_over(vec![order_paid()]).await;
    eventually("the relay is at work", || async { (unsent(&database).await == 0).then_some(()) }).await;

    rabbitmq.fill_disk().await;
    hand_over((0..A_BATCH).map(|_| order_paid()).collect()).await;
    throughout(LONG, "they wait", || async { unsent(&database).await > 0 }).await;
    assert_eq!(count(&heard, ASK_FOR_CONFIRMS), 1, "nobody asks a broker for more that is in need");
    broker.delete("payment").await;
    let late: Vec<Envelope> = (0..50).map(|_| payment_requested()).collect();
    hand_over(late.clone()).await;
    rabbitmq.empty_disk().await;

    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
    assert_eq!(count(&heard, ASK_FOR_CONFIRMS), 2, "nothing more was published where confirms went unheard");
    let mut arrived = HashSet::new();
    while let Some(body) = broker.take("payment").await {
        arrived.insert(serde_json::from_slice::<Envelope>(&body).unwrap().id);
    }
    assert_eq!(arrived, late.iter().map(|event| event.id).collect());
    shutdown.stop();
    running.await.unwrap();
}
