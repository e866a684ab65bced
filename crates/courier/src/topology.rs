//! Declares what `ecommerce_contract::topology` holds.

use ecommerce_contract::Service;
use ecommerce_contract::topology::{BINDINGS, EXCHANGE, dead_letter_queue, queue};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

/// Declares the whole topology; what is there already is left as it is.
pub async fn declare(channel: &Channel) -> Result<(), lapin::Error> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Topic, durable, FieldTable::default()).await?;
    for service in Service::WITH_BROKER {
        for name in [queue(service).to_owned(), dead_letter_queue(service)] {
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await?;
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
