//! Carries events between services, over RabbitMQ: one way out ([`Relay`]: from a commit, in memory, with the outbox as the net
//! below) and one way in ([`Consumer`]: from a queue, in batches, acknowledged once their effect is committed).
//!
//! It has connections of its own, to the broker (one each way, [`Connections`]) and to the database, and none that a request waits
//! for. They are supervised here, not recovered by the client library: whatever goes wrong, the connection, its channel, the topology
//! and the consumer are made anew. No event is known here by name. What was given up, a person looks at by [`dead_letters`].

pub mod connection;
pub mod consumer;
mod dead_letter_count;
pub mod dead_letters;
mod hearing;
mod in_hand;
pub mod metrics;
mod outgoing;
mod publish;
pub mod relay;
mod source;
mod stream;
mod suspects;
mod sweep;
pub mod topology;
mod unsettled;
mod waiting;

pub use connection::{Connections, Settings};
pub use consumer::{Consumer, Failure, Handle};
pub use hearing::{Heard, Hearing};
pub use outgoing::Outgoing;
pub use relay::Relay;

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};

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
    #[error("AMQP_URL is not of the form amqp://user@host:5672/vhost, or amqps:// for TLS")]
    InvalidUrl,
    /// An authority is named, and nobody is to be asked for a certificate.
    #[error("AMQP_CA_FILE is set, but AMQP_URL speaks no TLS: it needs amqps://")]
    AuthorityWithoutTls,
    /// The authority's file is none.
    #[error("AMQP_CA_FILE names no authority")]
    Authority(#[from] ecommerce_tls::Error),
    /// A person has named a dead letter that is not there.
    #[error("there is no dead letter {0}; `dead-letters list` names those that are there")]
    NoSuchLetter(String),
    /// Some of the dead letters that were replayed could not be handled.
    #[error("{said}\n{stays} of {all} dead letters could not be handled and stay")]
    LettersStay {
        /// What came of each, a line each.
        said: String,
        /// How many are where they were.
        stays: usize,
        /// How many were to be replayed.
        all: usize,
    },
    /// The connection is no more.
    #[error("the connection was lost")]
    Lost,
    /// The broker did not answer in time.
    #[error("the broker did not answer in time")]
    TimedOut,
}

impl Error {
    /// Whether the broker has closed the channel for the message that it was given: it will again. Without the exchange, it does for
    /// any message (AMQP 0-9-1, channel exceptions).
    fn is_fault_of_the_message(&self) -> bool {
        self.channel_exception().is_some_and(|why| why != AMQPSoftError::NOTFOUND)
    }

    /// Whether what was asked about is not there.
    fn is_not_found(&self) -> bool {
        self.channel_exception() == Some(AMQPSoftError::NOTFOUND)
    }

    fn channel_exception(&self) -> Option<AMQPSoftError> {
        let Self::Broker(error) = self else { return None };
        let ErrorKind::ProtocolError(error) = error.kind() else { return None };
        match error.kind() {
            AMQPErrorKind::Soft(why) => Some(why.clone()),
            AMQPErrorKind::Hard(_) => None,
        }
    }
}
