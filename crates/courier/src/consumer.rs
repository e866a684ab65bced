//! The way in: takes messages from a service's queue, many in one transaction.
//!
//! A message is acknowledged after its effect is committed, and may come again. Nobody keeps a list of those that have come:
//! what a message is about shows what it has done, so that the second one does nothing.
//!
//! A failure says one of three things: try again; leave it to a newer version; give up. What is given up goes to the dead letters,
//! one message at a time; the rest of its batch is done without it. What only a newer version can read is set aside: it goes back
//! to the queue with the connection, when that version takes over. Where dead letters go, and after how many deliveries the broker
//! moves a message there by itself, is policy: `crates/contract/src/topology.rs`.
//!
//! What comes after a rest is handled at once. Then batches keep a pace, so that under load each holds more.

use std::future::Future;
use std::time::Duration;

use ecommerce_contract::{Envelope, Service, topology};
use ecommerce_postgres::{Pool, is_fault_of_the_data, is_unreadable};
use ecommerce_runtime::{Backoff, Shutdown};
use futures::future::try_join_all;
use futures::{FutureExt as _, StreamExt as _};
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::FieldTable;
use sqlx::PgConnection;
use tokio::time::{MissedTickBehavior, interval};

use crate::connection::{Connections, backoff, supervise};
use crate::metrics::{EVENTS_DEAD_LETTERED, EVENTS_HANDLED, EVENTS_SET_ASIDE};
use crate::unsettled::{Acknowledgement, Unsettled};
use crate::{Error, Outgoing};

/// The most messages in one transaction.
const BATCH: usize = 100;
/// How many the broker hands out ahead: one batch in work, one waiting, and as many as are set aside.
const PREFETCH: u16 = 400;
/// The most messages that are set aside. With as many nothing more is taken: given back, they would come again at once, and the broker
/// would count that. As after a roll back: then a person has to look.
const MOST_ASIDE: usize = 200;
/// From the beginning of one batch to the next, at the least.
const PACE: Duration = Duration::from_millis(5);
/// How often a consumer that takes nothing more looks whether its channel stands.
const LOOK: Duration = Duration::from_secs(1);

/// Why a message has no effect.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may work later: the message waits.
    #[error("unable to handle for now")]
    Retry(#[source] sqlx::Error),
    /// It, or what it is about, was written by a newer version, which this one cannot read: the message waits for that one.
    #[error("unable to read it: {0}")]
    TooNew(String),
    /// It will never work: the message goes to the dead letters.
    #[error("failed to handle: {0}")]
    Dead(String),
}

/// Only what the message itself is to blame for is given up: a value that no column takes, a rule that it breaks. A row that does
/// not read is a newer version's. Whatever else the database says (away, read-only, another password, a schema on its way) may
/// pass, and the message waits.
impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if is_unreadable(&error) {
            Self::TooNew(error.to_string())
        } else if is_fault_of_the_data(&error) {
            Self::Dead(error.to_string())
        } else {
            Self::Retry(error)
        }
    }
}

/// What a service does with events.
pub trait Handle: Send + Sync + 'static {
    /// Has the effect of these events, in as few transactions as it takes and with no call to anything remote, and answers what
    /// that has put into the outbox. Any of them may have come before, in whole or in another batch, and has no second effect: its
    /// first one shows in the state of what it is about. Events that one service sends and this one has no use for never get here:
    /// their binding is not there.
    fn handle(
        &self,
        connection: &mut PgConnection,
        events: &[Envelope],
    ) -> impl Future<Output = Result<Vec<Envelope>, Failure>> + Send;

    /// Runs after the commit of what [`Handle::handle`] did, before the events are handed over and the messages are acknowledged:
    /// for what may be lost and is not to be late, such as emptying a cache.
    fn committed(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Consumes one service's queue.
#[derive(Debug)]
pub struct Consumer<H> {
    /// To the broker.
    pub connections: Connections,
    /// Whose queue.
    pub service: Service,
    /// The database of the effect.
    pub pool: Pool,
    /// Where the events that an effect publishes are handed over.
    pub outgoing: Outgoing,
    /// The effect.
    pub handler: H,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    /// Every message has come to its end, or is set aside.
    All,
    /// The process stops, and what is not settled is the next reader's.
    Stopped,
}

/// What a session has taken and not brought to an end.
#[derive(Default)]
struct InHand {
    unsettled: Unsettled,
    /// What waits for a newer version.
    aside: Vec<Delivery>,
}

/// Deliveries that could be read, and beside each what it says.
#[derive(Default)]
struct Batch {
    deliveries: Vec<Delivery>,
    events: Vec<Envelope>,
}

impl Batch {
    fn push(&mut self, delivery: Delivery, envelope: Envelope) {
        self.deliveries.push(delivery);
        self.events.push(envelope);
    }

    /// Each by itself, the last one first.
    fn apart(self) -> impl Iterator<Item = Self> {
        let each = self.deliveries.into_iter().zip(self.events).rev();
        each.map(|(delivery, envelope)| Self { deliveries: vec![delivery], events: vec![envelope] })
    }
}

/// Why a message has no effect here.
enum NoEffect {
    TooNew(String),
    Dead(String),
}

impl<H: Handle> Consumer<H> {
    /// Runs until the process stops.
    pub async fn run(self, shutdown: Shutdown) {
        supervise(&self.connections, "consumer", &shutdown, |session| self.session(session.channel, &shutdown)).await;
    }

    async fn session(&self, channel: Channel, shutdown: &Shutdown) -> Result<(), Error> {
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let queue = topology::queue(self.service);
        let mut deliveries = channel
            .basic_consume(
                queue.into(),
                self.service.as_str().into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut in_hand = InHand::default();
        loop {
            if in_hand.aside.len() >= MOST_ASIDE {
                tracing::error!(
                    messages = in_hand.aside.len(),
                    "too many messages wait for a newer version: nothing more is taken"
                );
                channel.basic_cancel(self.service.as_str().into(), BasicCancelOptions::default()).await?;
                // What was handed out ahead is for whoever can read it.
                while let Some(delivery) = deliveries.next().await {
                    delivery?.nack(BasicNackOptions { requeue: true, multiple: false }).await?;
                }
                return hold(&channel, shutdown).await;
            }
            let first = tokio::select! {
                biased;
                () = shutdown.stopped() => return Ok(()),
                delivery = deliveries.next() => delivery.ok_or(Error::ConsumerEnded)??,
            };
            pace.tick().await;
            let mut batch = vec![first];
            // Whatever has come already comes along; nobody waits for a batch to fill.
            while batch.len() < BATCH
                && let Some(Some(delivery)) = deliveries.next().now_or_never()
            {
                batch.push(delivery?);
            }
            if self.settle(&channel, batch, &mut in_hand, shutdown).await? == Settled::Stopped {
                return Ok(());
            }
        }
    }

    /// Brings every message of a batch to its end: acknowledged, set aside, or with the dead letters. When the process stops first,
    /// the rest goes back to the queue with the connection.
    async fn settle(
        &self,
        channel: &Channel,
        taken: Vec<Delivery>,
        in_hand: &mut InHand,
        shutdown: &Shutdown,
    ) -> Result<Settled, Error> {
        let mut readable = Batch::default();
        for delivery in taken {
            in_hand.unsettled.take(delivery.delivery_tag);
            match serde_json::from_slice::<Envelope>(&delivery.data) {
                Ok(envelope) => readable.push(delivery, envelope),
                Err(error) if Envelope::is_of_a_newer_version(&delivery.data) => {
                    in_hand.set_aside(delivery, &error.to_string());
                }
                Err(error) => in_hand.give_up(&delivery, None, &error.to_string()).await?,
            }
        }
        // The whole batch first; if something in it is at fault, each by itself.
        let mut waiting = vec![readable];
        while let Some(batch) = waiting.pop() {
            if batch.events.is_empty() {
                continue;
            }
            match self.commit(&batch.events, shutdown).await {
                None => return Ok(Settled::Stopped),
                Some(Ok(())) => in_hand.acknowledge(channel, &batch).await?,
                Some(Err(why)) if batch.events.len() == 1 => {
                    for (delivery, envelope) in batch.deliveries.into_iter().zip(&batch.events) {
                        match &why {
                            NoEffect::TooNew(reason) => in_hand.set_aside(delivery, reason),
                            NoEffect::Dead(reason) => in_hand.give_up(&delivery, Some(envelope), reason).await?,
                        }
                    }
                }
                Some(Err(_)) => waiting.extend(batch.apart()),
            }
        }
        Ok(Settled::All)
    }

    /// Commits the effect of these events, trying again for as long as it may work later. `None` when the process stops.
    async fn commit(&self, events: &[Envelope], shutdown: &Shutdown) -> Option<Result<(), NoEffect>> {
        let mut backoff: Backoff = backoff();
        loop {
            match self.attempt(events).await {
                Ok(published) => {
                    tell_of(events);
                    self.handler.committed().await;
                    self.outgoing.send(published);
                    return Some(Ok(()));
                }
                Err(Failure::Dead(reason)) => return Some(Err(NoEffect::Dead(reason))),
                Err(Failure::TooNew(reason)) => return Some(Err(NoEffect::TooNew(reason))),
                Err(Failure::Retry(error)) => {
                    tracing::warn!(%error, messages = events.len(), "unable to handle messages for now; they wait");
                    backoff.wait(shutdown).await;
                    if shutdown.is_stopped() {
                        return None;
                    }
                }
            }
        }
    }

    /// Has the effect of these events once; answers what that has put into the outbox.
    pub(crate) async fn attempt(&self, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        let handle = async |connection: &mut PgConnection| self.handler.handle(connection, events).await;
        self.pool.run(handle).await
    }
}

/// Names events whose effect is committed.
fn tell_of(events: &[Envelope]) {
    for envelope in events {
        tracing::debug!(
            event.id = %envelope.id,
            event.kind = envelope.event.routing_key(),
            order.id = %envelope.event.order_id(),
            request.id = envelope.request_id.as_deref(),
            "handled an event"
        );
    }
}

impl InHand {
    /// Acknowledges these and no others: what lies before them on the channel may belong to a batch that was not committed.
    async fn acknowledge(&mut self, channel: &Channel, batch: &Batch) -> Result<(), Error> {
        for envelope in &batch.events {
            EVENTS_HANDLED.increment([envelope.event.routing_key()]);
        }
        let frames = self.unsettled.acknowledge(batch.deliveries.iter().map(|delivery| delivery.delivery_tag));
        let frames = frames
            .iter()
            .map(|&Acknowledgement { tag, multiple }| channel.basic_ack(tag, BasicAckOptions { multiple }));
        try_join_all(frames).await?;
        Ok(())
    }

    /// Keeps a message, unacknowledged, until the connection ends.
    fn set_aside(&mut self, delivery: Delivery, reason: &str) {
        EVENTS_SET_ASIDE.increment([]);
        tracing::error!(
            event.kind = delivery.routing_key.as_str(),
            reason,
            "unable to read a message that a newer version has written, or what it is about; it waits for that version"
        );
        self.aside.push(delivery);
    }

    async fn give_up(&mut self, delivery: &Delivery, envelope: Option<&Envelope>, reason: &str) -> Result<(), Error> {
        EVENTS_DEAD_LETTERED.increment([]);
        tracing::error!(
            event.id = envelope.map(|envelope| tracing::field::display(envelope.id)),
            event.kind = delivery.routing_key.as_str(),
            request.id = envelope.and_then(|envelope| envelope.request_id.as_deref()),
            reason,
            "gave a message up; it is with the dead letters"
        );
        delivery.reject(BasicRejectOptions { requeue: false }).await?;
        self.unsettled.reject(delivery.delivery_tag);
        Ok(())
    }
}

/// Holds on to what was taken until the process stops or the broker ends the channel.
async fn hold(channel: &Channel, shutdown: &Shutdown) -> Result<(), Error> {
    let mut look = interval(LOOK);
    loop {
        tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            _ = look.tick() => {}
        }
        if !channel.status().connected() {
            return Err(Error::ConsumerEnded);
        }
    }
}
