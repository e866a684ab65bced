//! How far a process has heard its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ecommerce_contract::{Envelope, Service};
use ecommerce_courier::{Connections, Failure, Handle, Hearing, Settings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Database, Link, eventually};
use ecommerce_types::Clock;
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;

use crate::{consumer, stock_reserved, stores};

/// Counts what it has handled, unless its database is away.
#[derive(Clone, Default)]
struct Counts {
    handled: Arc<AtomicUsize>,
    is_away: Arc<AtomicBool>,
    hearing: Hearing,
}

impl Handle for Counts {
    async fn handle(&self, _: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Failure::Retry(sqlx::Error::PoolTimedOut));
        }
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
    listen(&through, &database, &handler).await;
    wire.slow(Duration::from_millis(700));
    let began = clock.now();
    for number in 1..=3 {
        broker.publish(&stock_reserved()).await;
        eventually("its effect", || async { (handler.handled.load(Ordering::SeqCst) == number).then_some(()) }).await;
    }
    eventually("the queue was heard", || async { handler.hearing.heard().until.filter(|until| *until > began) }).await;
}

/// Else whoever has waited for long enough with the broker there would end orders whose payment it has in hand, as soon as the database is back.
#[tokio::test]
async fn while_nothing_can_be_handled_the_broker_has_not_been_there_for_long() {
    let (broker, database) = stores().await;
    broker.declare().await;
    let handler = Counts::default();
    let began = listen(&broker.settings(Service::Order), &database, &handler).await;
    handler.is_away.store(true, Ordering::SeqCst);
    broker.publish(&stock_reserved()).await;
    let works_since = || async { handler.hearing.heard().works_since };
    let since =
        eventually("it is taken for new", || async { works_since().await.filter(|since| *since > began) }).await;
    eventually("and again", || async { works_since().await.filter(|again| *again > since) }).await;
    handler.is_away.store(false, Ordering::SeqCst);
    eventually("its effect", || async { (handler.handled.load(Ordering::SeqCst) == 1).then_some(()) }).await;
}

/// Answers since when it listens.
async fn listen(settings: &Settings, database: &Database, handler: &Counts) -> Instant {
    let consumer = consumer(Connections::to(settings).unwrap(), Service::Order, database, handler.clone());
    tokio::spawn(consumer.run(Shutdown::new()));
    eventually("it listens", || async { handler.hearing.heard().works_since }).await
}
