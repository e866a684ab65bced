//! Gives messages to the broker, many at once.
//!
//! For some messages the broker closes the channel: one that is too large, or that its sender has no right to. It does not say for
//! which. So what was sent together is then sent in halves, each on a new channel, and those that close it by themselves are named.
//! Of their companions, some come twice, and the second one does nothing.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use ecommerce_contract::topology::EXCHANGE;
use ecommerce_postgres::outbox::Message;
use ecommerce_runtime::ErrorChain;
use futures::future::try_join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};
use uuid::Uuid;

use crate::Error;
use crate::connection::Session;
use crate::metrics::{EVENTS_PUBLISHED, EVENTS_REFUSED};
use crate::topology;

/// How long the broker may take to confirm a batch.
const CONFIRM: Duration = Duration::from_secs(10);

/// How long halves are sent. The rest stays in the outbox: what is handed over meanwhile waits.
const HALVES: Duration = Duration::from_secs(1);

const PERSISTENT: u8 = 2;

/// A session with the broker, with a channel that confirms.
pub(crate) struct Publisher {
    session: Session,
    channel: Channel,
}

/// What became of messages; the others stay where they are.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The broker has them for certain.
    pub(crate) taken: Vec<Uuid>,
    /// For each of them it closes the channel.
    pub(crate) unpublishable: Vec<Uuid>,
    /// How many no queue takes, or not now.
    pub(crate) refused: usize,
}

impl Publisher {
    pub(crate) async fn on(session: Session) -> Result<Self, Error> {
        let channel = session.channel.clone();
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { session, channel })
    }

    /// An error once nothing more can be published in this session.
    pub(crate) fn stands(&self) -> Result<(), Error> {
        self.session.stands()
    }

    /// Whether the broker takes nothing for now.
    pub(crate) fn is_blocked(&self) -> bool {
        self.session.is_blocked()
    }

    /// Makes what a person may have deleted; while everybody is connected nobody else does.
    pub(crate) async fn declare_topology(&self) -> Result<(), Error> {
        Ok(topology::declare(&self.channel).await?)
    }

    /// Publishes these. Where one closes the channel, as many of the others as there is time for, and one of them at the least.
    pub(crate) async fn publish(&mut self, messages: &[Message]) -> Result<Published, Error> {
        let began = Instant::now();
        let mut published = Published::default();
        let mut parts = vec![messages];
        while let Some(part) = parts.pop() {
            match publish(&self.session, &self.channel, part).await {
                Ok(taken) => {
                    published.refused += part.len() - taken.len();
                    published.taken.extend(taken);
                }
                Err(error) if error.is_fault_of_the_message() => {
                    self.channel = self.session.another_channel().await?;
                    self.channel.confirm_select(ConfirmSelectOptions::default()).await?;
                    if let [message] = part {
                        tracing::error!(
                            event.id = %message.id,
                            event.kind = message.routing_key,
                            error = %ErrorChain(&error),
                            "the broker closes the channel for an event; it stays in the outbox, for a person to look at"
                        );
                        published.unpublishable.push(message.id);
                    } else {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                }
                Err(error) => return Err(error),
            }
            let has_come_far = !published.taken.is_empty() || !published.unpublishable.is_empty();
            if self.is_blocked() || has_come_far && began.elapsed() > HALVES {
                break;
            }
        }
        Ok(published)
    }
}

/// Publishes all on a channel of this session, then waits for all confirms; answers the ids that the broker has for certain. Where
/// they are not waited for to the end, the session ends.
async fn publish(session: &Session, channel: &Channel, messages: &[Message]) -> Result<Vec<Uuid>, Error> {
    session.stands()?;
    let listening = session.listen();
    let confirmed = try_join_all(messages.iter().map(|message| publish_one(channel, message)));
    let confirmed = match tokio::time::timeout(CONFIRM, confirmed).await {
        Ok(confirmed) => {
            // Or the channel is closed, and there is nothing more to hear.
            listening.has_heard_all();
            confirmed?
        }
        Err(_) if session.is_blocked() => {
            tracing::warn!("the broker takes no events, its memory or its disk is full; they wait in the outbox");
            return Ok(Vec::new());
        }
        Err(_) => return Err(Error::TimedOut),
    };
    let (taken, refused): (Vec<_>, Vec<_>) =
        messages.iter().zip(were_taken(messages, &confirmed)).partition(|(_, was_taken)| *was_taken);
    for (message, _) in refused {
        tracing::error!(event.id = %message.id, event.kind = message.routing_key, "the broker did not take an event; it stays in the outbox");
    }
    let sent: Vec<Uuid> = taken.into_iter().map(|(message, _)| message.id).collect();
    EVENTS_PUBLISHED.add([], sent.len() as u64);
    EVENTS_REFUSED.add([], (messages.len() - sent.len()) as u64);
    Ok(sent)
}

/// Which messages the broker has put into a queue. One that no queue takes is confirmed too, and returned. What is returned names
/// itself: the client library hands it out with whichever confirm comes next.
fn were_taken(messages: &[Message], confirmed: &[Confirmation]) -> Vec<bool> {
    let returned: HashSet<String> = confirmed.iter().filter_map(returned_id).collect();
    let was_taken = |(message, confirmation): (&Message, &Confirmation)| {
        matches!(confirmation, Confirmation::Ack(_)) && !returned.contains(&message.id.to_string())
    };
    messages.iter().zip(confirmed).map(was_taken).collect()
}

fn returned_id(confirmation: &Confirmation) -> Option<String> {
    let (Confirmation::Ack(returned) | Confirmation::Nack(returned)) = confirmation else { return None };
    Some(returned.as_ref()?.properties.message_id().as_ref()?.to_string())
}

async fn publish_one(channel: &Channel, message: &Message) -> Result<Confirmation, lapin::Error> {
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_message_id(message.id.to_string().into());
    let confirm = channel
        .basic_publish(
            EXCHANGE.into(),
            message.routing_key.as_str().into(),
            mandatory,
            message.body.as_bytes(),
            properties,
        )
        .await?;
    confirm.await
}

#[cfg(test)]
mod tests {
    use lapin::message::{BasicReturnMessage, Delivery};

    use super::*;

    fn message(number: u128) -> Message {
        Message { id: Uuid::from_u128(number), routing_key: "order.paid".to_owned(), body: "{}".to_owned() }
    }

    fn returned(message: &Message) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, EXCHANGE.into(), "order.paid".into(), false, Vec::new());
        delivery.properties = BasicProperties::default().with_message_id(message.id.to_string().into());
        BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
    }

    #[test]
    fn what_is_returned_is_refused_whichever_confirm_brings_it() {
        let messages = [message(1), message(2), message(3)];
        let with_another = Confirmation::Ack(Some(returned(&messages[2])));
        let confirmed = [with_another, Confirmation::Nack(None), Confirmation::Ack(None)];
        assert_eq!(were_taken(&messages, &confirmed), [true, false, false]);
    }
}
