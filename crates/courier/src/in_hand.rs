//! What a consumer has taken from its channel and not brought to an end, and how each message comes to one.

use std::time::Instant;

use ecommerce_contract::{Envelope, Service, topology};
use ecommerce_postgres::is_transient;
use ecommerce_runtime::ErrorChain;
use futures::future::try_join_all;
use lapin::Channel;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};

use crate::Error;
use crate::dead_letters::id;
use crate::metrics::{EVENTS_DEAD_LETTERED, EVENTS_SET_ASIDE, EVENTS_WAITING};
use crate::suspects::is_suspect;
use crate::unsettled::{Acknowledgement, Unsettled};
use crate::waiting::{Part, Waiting};

/// A delivery that could be read, and what it says.
pub(crate) type Message = (Delivery, Envelope);

pub(crate) struct InHand {
    service: Service,
    unsettled: Unsettled,
    /// What waits for a newer version.
    pub(crate) aside: Vec<Delivery>,
    /// What is tried again.
    pub(crate) waiting: Waiting<Message>,
    /// Whether what failed last says that the database is away, or busy.
    is_outage: bool,
}

impl InHand {
    pub(crate) fn new(service: Service) -> Self {
        Self {
            service,
            unsettled: Unsettled::default(),
            aside: Vec::new(),
            waiting: Waiting::default(),
            is_outage: false,
        }
    }

    /// Whether the database seems to be away: nothing works, and what failed last says so.
    pub(crate) fn is_outage(&self) -> bool {
        self.is_outage && self.waiting.nothing_works()
    }

    /// Sorts what has come: what reads is answered, or waits for the others where it was handed out suspiciously often; what only a newer
    /// version can read is set aside, and the rest is given up.
    pub(crate) async fn take(&mut self, taken: Vec<Delivery>) -> Result<Vec<Message>, Error> {
        let mut readable = Vec::with_capacity(taken.len());
        for delivery in taken {
            self.unsettled.take(delivery.delivery_tag);
            match serde_json::from_slice::<Envelope>(&delivery.data) {
                Ok(envelope) => {
                    let handed_out = handed_out_before(&delivery);
                    if is_suspect(handed_out) {
                        self.waiting.put_last(handed_out, (delivery, envelope), Instant::now());
                    } else {
                        readable.push((delivery, envelope));
                    }
                }
                Err(error) if Envelope::is_of_a_newer_version(&delivery.data) => {
                    self.set_aside(delivery, &error.to_string());
                }
                Err(error) => self.give_up(&delivery, None, &error.to_string()).await?,
            }
        }
        Ok(readable)
    }

    /// Acknowledges these and no others: what lies before them on the channel may belong to a batch that was not committed.
    pub(crate) async fn acknowledge(&mut self, channel: &Channel, deliveries: &[Delivery]) -> Result<(), Error> {
        let frames = self.unsettled.acknowledge(deliveries.iter().map(|delivery| delivery.delivery_tag));
        let frames = frames
            .iter()
            .map(|&Acknowledgement { tag, multiple }| channel.basic_ack(tag, BasicAckOptions { multiple }));
        try_join_all(frames).await?;
        Ok(())
    }

    /// Keeps what may work later, to be tried again.
    pub(crate) fn wait(&mut self, part: Part<Message>, error: &sqlx::Error) {
        self.is_outage = is_transient(error);
        let alone = match part.messages.as_slice() {
            [(_, envelope)] => Some((envelope.id, envelope.event.routing_key(), envelope.request_id.clone())),
            _ => None,
        };
        let messages = part.messages.len();
        let pause = self.waiting.keep(part, Instant::now());
        if let (Some(pause), Some((id, kind, request_id))) = (pause, alone) {
            tracing::error!(
                event.id = %id,
                event.kind = kind,
                request.id = request_id,
                error = %ErrorChain(error),
                pause = ?pause,
                "unable to handle an event, though others are handled; it is tried again after a pause"
            );
        } else {
            tracing::warn!(error = %ErrorChain(error), messages, "unable to handle messages for now; they wait");
        }
    }

    /// Shows how much waits.
    pub(crate) fn show(&self) {
        EVENTS_WAITING.set([topology::queue(self.service)], i64::try_from(self.waiting.len()).unwrap_or(i64::MAX));
    }

    /// Keeps a message, unacknowledged, until the connection ends.
    pub(crate) fn set_aside(&mut self, delivery: Delivery, reason: &str) {
        EVENTS_SET_ASIDE.increment([]);
        tracing::error!(
            event.id = id(&delivery.data, &delivery.properties),
            event.kind = delivery.routing_key.as_str(),
            reason,
            "unable to read a message that a newer version has written, or what it is about; it waits for that version"
        );
        self.aside.push(delivery);
    }

    pub(crate) async fn give_up(
        &mut self,
        delivery: &Delivery,
        envelope: Option<&Envelope>,
        reason: &str,
    ) -> Result<(), Error> {
        EVENTS_DEAD_LETTERED.increment([]);
        tracing::error!(
            event.id = id(&delivery.data, &delivery.properties),
            event.kind = delivery.routing_key.as_str(),
            request.id = envelope.and_then(|envelope| envelope.request_id.as_deref()),
            reason,
            "gave a message up; it is with the dead letters"
        );
        delivery.reject(BasicRejectOptions { requeue: false }).await?;
        self.unsettled.reject(delivery.delivery_tag);
        Ok(())
    }

    /// Gives back what waits to be tried again: it is for whoever can handle it.
    pub(crate) async fn give_back(&mut self) -> Result<(), Error> {
        for (delivery, _) in self.waiting.take_all() {
            delivery.nack(BasicNackOptions { requeue: true, multiple: false }).await?;
            self.unsettled.reject(delivery.delivery_tag);
        }
        Ok(())
    }
}

/// How often the broker has handed a message out before, as it has counted.
fn handed_out_before(delivery: &Delivery) -> u64 {
    let headers = delivery.properties.headers().as_ref();
    let count = headers.and_then(|headers| headers.inner().get("x-delivery-count")?.as_long_long_int());
    count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
}

impl Drop for InHand {
    /// With the connection, all of it goes back to the queue.
    fn drop(&mut self) {
        EVENTS_WAITING.set([topology::queue(self.service)], 0);
    }
}
