//! Declares what `ecommerce_contract::topology` holds.

use ecommerce_contract::Service;
use ecommerce_contract::topology::{BINDINGS, EXCHANGE, dead_letter_queue, queue};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind, Queue};

/// Declares the whole topology; what is there already is left as it is.
pub async fn declare(channel: &Channel) -> Result<(), lapin::Error> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Topic, durable, FieldTable::default()).await?;
    for service in Service::WITH_BROKER {
        for name in [queue(service).to_owned(), dead_letter_queue(service)] {
            declare_queue(channel, name).await?;
        }
    }
    for (routing_key, reader) in BINDINGS.iter().copied() {
        let options = QueueBindOptions::default();
        channel
            .queue_bind(queue(reader).into(), EXCHANGE.into(), routing_key.into(), options, FieldTable::default())
            .await?;
    }
    Ok(())
}

/// Whether nothing is in a service's queue that nobody was handed. It is declared for that, not looked up: a queue that somebody has deleted
/// would cost the channel, and what is in hand on it. A broker that cannot reach the queue's leader answers with nothing and nobody, although
/// whoever asks consumes it (`rabbit_quorum_queue:stat/2`).
pub(crate) async fn is_empty(channel: &Channel, service: Service) -> Result<bool, lapin::Error> {
    let queue = declare_queue(channel, queue(service).to_owned()).await?;
    Ok(queue.message_count() == 0 && queue.consumer_count() > 0)
}

async fn declare_queue(channel: &Channel, name: String) -> Result<Queue, lapin::Error> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await
}
