//! How far a process has heard its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ecommerce_contract::{Envelope, Service};
use ecommerce_courier::{Connections, Consumer, Failure, Handle, Hearing, Outgoing, Settings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Link, eventually};
use ecommerce_types::Clock;
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;

use crate::{stock_reserved, stores};

/// Counts what it has handled.
#[derive(Clone, Default)]
struct Counts {
    handled: Arc<AtomicUsize>,
    hearing: Hearing,
}

impl Handle for Counts {
    async fn handle(&self, _: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        self.handled.fetch_add(events.len(), Ordering::SeqCst);
        Ok(Vec::new())
    }

    fn hearing(&self) -> Option<&Hearing> {
        Some(&self.hearing)
    }
}

/// Each question takes longer than it is until the next one.
#[tokio::test]
async fn a_broker_that_is_slow_to_say_whether_the_queue_is_empty_holds_up_no_event() {
    let (broker, database) = stores().await;
    broker.declare().await;
    let settings = broker.settings(Service::Order);
    let wire = Link::to(settings.amqp_url.expose_secret()).await;
    let through = Settings { amqp_url: wire.url.to_string().into(), ..settings };
    let (handler, clock) = (Counts::default(), Clock::system());
    let consumer = Consumer {
        connections: Connections::to(&through).unwrap(),
        service: Service::Order,
        pool: database.service_pool(),
        clock: clock.clone(),
        outgoing: Outgoing::nowhere(),
        handler: handler.clone(),
    };
    tokio::spawn(consumer.run(Shutdown::new()));
    eventually("it listens", || async { handler.hearing.heard().connected_since }).await;
    wire.slow(Duration::from_millis(700));
    let began = clock.now();
    for number in 1..=3 {
        broker.publish(&stock_reserved()).await;
        eventually("its effect", || async { (handler.handled.load(Ordering::SeqCst) == number).then_some(()) }).await;
    }
    eventually("the queue was heard", || async { handler.hearing.heard().until.filter(|until| *until > began) }).await;
}
