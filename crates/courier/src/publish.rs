//! Gives messages to the broker, many at once.

use std::collections::HashSet;
use std::time::Duration;

use ecommerce_contract::topology::EXCHANGE;
use ecommerce_postgres::outbox::Message;
use futures::future::try_join_all;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation};
use uuid::Uuid;

use crate::Error;
use crate::metrics::{EVENTS_PUBLISHED, EVENTS_REFUSED};

/// How long the broker may take to confirm a batch.
const CONFIRM: Duration = Duration::from_secs(10);

const PERSISTENT: u8 = 2;

/// Publishes all, then waits for all confirms; answers the ids that the broker has for certain. A message that no queue takes is
/// confirmed too, and returned: it is not among them. What is returned names itself; the client library hands it out with whichever
/// confirm comes next.
pub(crate) async fn publish(channel: &Channel, messages: &[Message]) -> Result<Vec<Uuid>, Error> {
    let confirmed = try_join_all(messages.iter().map(|message| publish_one(channel, message)));
    let confirmed = tokio::time::timeout(CONFIRM, confirmed).await.map_err(|_| Error::TimedOut)??;
    let returned: HashSet<String> = confirmed.iter().filter_map(returned_id).collect();
    let mut sent = Vec::with_capacity(messages.len());
    for (message, confirmation) in messages.iter().zip(&confirmed) {
        if matches!(confirmation, Confirmation::Ack(_)) && !returned.contains(&message.id.to_string()) {
            sent.push(message.id);
        } else {
            tracing::error!(event.id = %message.id, event.kind = message.routing_key, "the broker did not take an event; it stays in the outbox");
        }
    }
    EVENTS_PUBLISHED.add([], sent.len() as u64);
    EVENTS_REFUSED.add([], (messages.len() - sent.len()) as u64);
    Ok(sent)
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
