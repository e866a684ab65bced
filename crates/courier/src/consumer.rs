//! The way in: takes messages from a service's queue, many in one transaction.
//!
//! A message is acknowledged after its effect is committed, and may come again. Nobody keeps a list of those that have come:
//! what a message is about shows what it has done, so that the second one does nothing.
//!
//! A failure says one of three things: try again; leave it to a newer version; give up. What is given up goes to the dead letters,
//! one message at a time; the rest of its batch is done without it. What only a newer version can read is set aside: it goes back
//! to the queue with the connection, when that version takes over. What is tried again waits here, unacknowledged, and as little of it
//! as is at fault (`waiting.rs`). Where dead letters go, and after how many deliveries the broker moves a message there by itself, is
//! policy: `crates/contract/src/topology.rs`.
//!
//! What comes after a rest is handled at once. Then batches keep a pace, so that under load each holds more.
//!
//! Whoever decides by what has *not* come asks how far the queue was heard (`hearing.rs`).

use std::future::{Future, pending};
use std::time::{Duration, Instant};

use ecommerce_contract::{Envelope, Service, topology};
use ecommerce_postgres::{Pool, is_fault_of_the_data, is_unreadable};
use ecommerce_runtime::{Backoff, Shutdown};
use ecommerce_types::Clock;
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use sqlx::PgConnection;
use tokio::sync::watch;
use tokio::time::{interval, sleep_until};

use crate::connection::{Connections, Session, backoff, supervise};
use crate::hearing::{self, Emptied, Hearing};
use crate::in_hand::{InHand, Message};
use crate::metrics::{EVENT_AGE, EVENTS_HANDLED};
use crate::source::Source;
use crate::waiting::Part;
use crate::{Error, Outgoing, dead_letter_count};

/// How many the broker hands out ahead: one batch in work, one waiting, and as many as are set aside.
const PREFETCH: u16 = 400;
/// The most messages that are set aside. With as many nothing more is taken: given back, they would come again at once, and the broker
/// would count that. As after a roll back: then a person has to look.
const MOST_ASIDE: usize = 200;
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
    /// for what may be lost and is not to be late, such as emptying a cache. Nobody waits for it, and so it waits for nothing.
    fn committed(&self) {}

    /// Where it is to be told how far the queue was heard; nowhere: nobody asks the broker.
    fn hearing(&self) -> Option<&Hearing> {
        None
    }

    /// Resolves when there is room for the effect of more; until then nothing is taken, and it stays with the broker in its sequence.
    fn has_room(&self) -> impl Future<Output = ()> + Send {
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
    /// Tells how old an event is.
    pub clock: Clock,
    /// Where the events that an effect publishes are handed over.
    pub outgoing: Outgoing,
    /// The effect.
    pub handler: H,
}

impl<H: Handle> Consumer<H> {
    /// Runs until the process stops.
    pub async fn run(self, shutdown: Shutdown) {
        supervise(&self.connections, "consumer", &shutdown, |session| self.session(session, &shutdown)).await;
    }

    async fn session(&self, session: Session, shutdown: &Shutdown) -> Result<(), Error> {
        tokio::select! {
            ended = self.consume(&session.channel, shutdown) => ended,
            never = dead_letter_count::show(&session, self.service) => match never {},
        }
    }

    async fn consume(&self, channel: &Channel, shutdown: &Shutdown) -> Result<(), Error> {
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let (queue, tag) = (topology::queue(self.service), self.service.as_str());
        let consume = BasicConsumeOptions::default();
        let source =
            Source::new(channel.basic_consume(queue.into(), tag.into(), consume, FieldTable::default()).await?);
        let Some(hearing) = self.handler.hearing() else {
            return self.take_turns(channel, source, None, shutdown).await;
        };
        let _connected = hearing.connected();
        let (was_empty, emptied) = watch::channel(None);
        tokio::select! {
            ended = self.take_turns(channel, source, Some((hearing, emptied)), shutdown) => ended,
            error = hearing::ask_whether_empty(channel, self.service, &self.clock, &was_empty) => Err(error),
        }
    }

    /// Handles what waits and what comes in turns, so that neither keeps the other waiting.
    async fn take_turns(
        &self,
        channel: &Channel,
        mut source: Source,
        mut heard: Option<(&Hearing, watch::Receiver<Emptied>)>,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let mut in_hand = InHand::new(self.service);
        let mut turns = backoff();
        let mut is_turn_of_waiting = false;
        loop {
            in_hand.show();
            if let Some((hearing, emptied)) = &mut heard
                && let Some(at) = *emptied.borrow_and_update()
                && !in_hand.waiting.is_any_due(Instant::now())
                && source.is_idle()
            {
                hearing.heard_until(at);
            }
            if in_hand.aside.len() >= MOST_ASIDE {
                return self.hold(channel, source, in_hand, shutdown).await;
            }
            if source.has_ended() && !is_worth_going_on(channel, &in_hand) {
                return Err(source.end());
            }
            if in_hand.waiting.nothing_works() {
                if let Some((hearing, _)) = &heard {
                    hearing.nothing_works();
                }
                turns.wait(shutdown).await;
            }
            tokio::select! {
                biased;
                () = shutdown.stopped() => return Ok(()),
                () = self.handler.has_room() => {}
            }
            let now = Instant::now();
            let waited = if is_turn_of_waiting { in_hand.waiting.take_due(now) } else { None };
            is_turn_of_waiting = false;
            let part = if let Some(part) = waited {
                part
            } else {
                tokio::select! {
                    biased;
                    () = shutdown.stopped() => return Ok(()),
                    taken = source.next() => {
                        is_turn_of_waiting = true;
                        if source.has_ended() && channel.status().connected() {
                            // Whoever has deleted the queue, what is sent to it meanwhile finds one.
                            crate::topology::declare(channel).await?;
                        }
                        Part::new(in_hand.take(taken).await?)
                    }
                    Some(part) = when_due(&mut in_hand, now) => part,
                    () = another_look(&mut heard) => continue,
                }
            };
            self.settle(channel, part, &mut in_hand, &mut turns, shutdown).await?;
        }
    }

    /// Brings messages to their end: acknowledged, set aside, with the dead letters, or among those that wait. When the process stops
    /// first, the rest goes back to the queue with the connection.
    async fn settle(
        &self,
        channel: &Channel,
        part: Part<Message>,
        in_hand: &mut InHand,
        turns: &mut Backoff,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        // All of them first; if something in it is to be given up or set aside, each by itself.
        let mut parts = vec![part];
        while let Some(mut part) = parts.pop() {
            if part.messages.is_empty() || shutdown.is_stopped() {
                continue;
            }
            let (deliveries, events): (Vec<Delivery>, Vec<Envelope>) = part.messages.drain(..).unzip();
            match self.attempt(&events).await {
                Ok(published) => {
                    in_hand.waiting.has_worked();
                    turns.reset();
                    self.tell_of(&events);
                    self.handler.committed();
                    self.outgoing.send(published);
                    in_hand.acknowledge(channel, &deliveries).await?;
                }
                Err(why) => {
                    part.messages.extend(deliveries.into_iter().zip(events));
                    match why {
                        Failure::Retry(error) => in_hand.wait(part, &error),
                        Failure::TooNew(_) | Failure::Dead(_) if part.messages.len() > 1 => parts.extend(part.apart()),
                        Failure::TooNew(reason) => {
                            part.messages.into_iter().for_each(|(delivery, _)| in_hand.set_aside(delivery, &reason));
                        }
                        Failure::Dead(reason) => {
                            for (delivery, envelope) in part.messages {
                                in_hand.give_up(&delivery, Some(&envelope), &reason).await?;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Has the effect of these events once; answers what that has put into the outbox.
    pub(crate) async fn attempt(&self, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        let handle = async |connection: &mut PgConnection| self.handler.handle(connection, events).await;
        self.pool.run(handle).await
    }

    /// Names events whose effect is committed.
    fn tell_of(&self, events: &[Envelope]) {
        let now = self.clock.now();
        for envelope in events {
            let kind = envelope.event.routing_key();
            EVENTS_HANDLED.increment([kind]);
            EVENT_AGE.series([kind.into()]).observe((now - envelope.occurred_at).as_seconds_f64().max(0.0));
            tracing::debug!(
                event.id = %envelope.id,
                event.kind = kind,
                order.id = %envelope.event.order_id(),
                request.id = envelope.request_id.as_deref(),
                "handled an event"
            );
        }
    }

    /// Takes nothing more, and holds on to what is set aside until the process stops or the broker ends the channel. What can be
    /// handled is for whoever can read the rest.
    async fn hold(
        &self,
        channel: &Channel,
        source: Source,
        mut in_hand: InHand,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let messages = in_hand.aside.len();
        tracing::error!(messages, "too many messages wait for a newer version: nothing more is taken");
        channel.basic_cancel(self.service.as_str().into(), BasicCancelOptions::default()).await?;
        in_hand.give_back().await?;
        for delivery in source.rest().await? {
            delivery.nack(BasicNackOptions { requeue: true, multiple: false }).await?;
        }
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
}

/// Whether what is in hand is tried further although nothing more comes. While the database is away, since whoever took it anew would
/// have it counted as handed out once more, and after as many outages it would be a dead letter. And where the queue is
/// gone and nobody else has it.
fn is_worth_going_on(channel: &Channel, in_hand: &InHand) -> bool {
    let waiting = &in_hand.waiting;
    in_hand.is_outage()
        || !waiting.nothing_works() && channel.status().connected() && waiting.is_any_due(Instant::now())
}

/// When the queue was seen empty once more.
async fn another_look(heard: &mut Option<(&Hearing, watch::Receiver<Emptied>)>) {
    if let Some((_, emptied)) = heard
        && emptied.changed().await.is_ok()
    {
        return;
    }
    pending::<()>().await;
}

/// What waits, when it is its time.
async fn when_due(in_hand: &mut InHand, now: Instant) -> Option<Part<Message>> {
    let due = in_hand.waiting.next_due(now)?;
    sleep_until(due.into()).await;
    in_hand.waiting.take_due(Instant::now())
}
