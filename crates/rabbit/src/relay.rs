//! The way out: takes events from the outbox and gives them to the broker.
//!
//! An event leaves the outbox only when the broker has confirmed it and has put it into a queue: a message that no queue
//! takes is confirmed too, and returned. Any number of replicas relay side by side; each claims other rows.

use std::time::Duration;

use ecommerce_contract::topology::EXCHANGE;
use ecommerce_postgres::Pool;
use ecommerce_postgres::outbox::{self, Message};
use ecommerce_runtime::{Notifier, Shutdown};
use futures::future::try_join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};
use sqlx::PgConnection;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::Error;
use crate::connection::{ANSWER, Settings, supervise};
use crate::metrics::{EVENTS_PUBLISHED, EVENTS_REFUSED};

/// How many events one transaction takes.
const BATCH: i64 = 200;
/// How often the outbox is looked at when nobody notifies: after a start, after another replica's end.
const POLL: Duration = Duration::from_secs(1);

const PERSISTENT: u8 = 2;

/// Relays one service's outbox.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The broker.
    pub settings: Settings,
    /// The database of the outbox.
    pub pool: Pool,
    /// Notified after each commit that wrote an event.
    pub committed: Notifier,
}

impl Relay {
    /// Runs until it is told to stop, which should be the last thing that a process does (`Tasks::spawn_last`).
    pub async fn run(self, shutdown: Shutdown) {
        supervise(&self.settings, "relay", &shutdown, |channel| self.session(channel, &shutdown)).await;
    }

    async fn session(&self, channel: Channel, shutdown: &Shutdown) -> Result<(), Error> {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.committed.notified() => {}
                _ = poll.tick() => {}
                () = shutdown.stopped() => {
                    // What was committed while requests and consumers ended is sent before the process goes.
                    self.drain(&channel).await?;
                    return Ok(());
                }
            }
            self.drain(&channel).await?;
        }
    }

    /// Sends until nothing is left that could be sent.
    async fn drain(&self, channel: &Channel) -> Result<(), Error> {
        let relay = async |transaction: &mut PgConnection| {
            let messages = outbox::claim(transaction, BATCH).await?;
            let claimed = messages.len();
            if claimed == 0 {
                return Ok((0, 0));
            }
            let publish = tokio::time::timeout(ANSWER, publish(channel, messages));
            let sent = publish.await.map_err(|_| Error::TimedOut)??;
            outbox::remove(transaction, &sent).await?;
            Ok::<_, Error>((claimed, sent.len()))
        };
        loop {
            let (claimed, sent) = self.pool.transaction(relay).await?;
            EVENTS_PUBLISHED.add([], sent as u64);
            EVENTS_REFUSED.add([], (claimed - sent) as u64);
            if claimed == 0 || sent < claimed {
                return Ok(());
            }
        }
    }
}

/// Publishes all, then waits for all confirms; answers the ids that the broker has for certain.
async fn publish(channel: &Channel, messages: Vec<Message>) -> Result<Vec<Uuid>, Error> {
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
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
        confirms.push(async move { confirm.await.map(|confirmation| (message, confirmation)) });
    }
    let mut sent = Vec::with_capacity(confirms.len());
    for (message, confirmation) in try_join_all(confirms).await? {
        if confirmation == Confirmation::Ack(None) {
            sent.push(message.id);
        } else {
            tracing::error!(event.id = %message.id, event.kind = message.routing_key, "the broker did not take an event; it stays in the outbox");
        }
    }
    Ok(sent)
}
