//! RabbitMQ as every service uses it: one way out (the relay of the outbox) and one way in (the consumer of a queue).
//!
//! Connections are supervised here, not recovered by the client library: whatever goes wrong, the connection, its channel,
//! the topology and the consumer are made anew. No event is known here by name.

pub mod connection;
pub mod consumer;
pub mod metrics;
pub mod relay;
pub mod topology;

pub use connection::{Settings, reach};
pub use consumer::{Consumer, Failure, Handle};
pub use relay::Relay;

/// Why a session with the broker ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker, or the way to it.
    #[error("the broker failed")]
    Broker(#[from] lapin::Error),
    /// The database behind the relay.
    #[error("the outbox failed")]
    Outbox(#[from] sqlx::Error),
    /// The broker ended the consumer, as when its queue is deleted or moves.
    #[error("the broker ended the consumer")]
    ConsumerEnded,
    /// The address is none; its text is a secret and not shown.
    #[error("AMQP_URL is not of the form amqp://user@host:5672/vhost")]
    InvalidUrl,
    /// The broker did not answer in time.
    #[error("the broker did not answer in time")]
    TimedOut,
}
