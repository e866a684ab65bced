//! What surrounds every event on its way.

use ecommerce_types::{Clock, EventId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Event;

/// The version of the envelope and of the payloads that this code writes.
pub const VERSION: u16 = 1;

/// An event with what its receiver needs to know of its origin.
///
/// Fields are only ever added, each with a default, so that an old message still parses and an old reader still reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Names the event, also when it comes again.
    pub id: EventId,
    /// The version that wrote it.
    pub version: u16,
    /// When the change was made.
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    /// The request that caused it, directly or through other events.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The W3C trace it belongs to; nothing sets it yet.
    #[serde(default)]
    pub traceparent: Option<String>,
    /// What happened: `type` and `payload`.
    #[serde(flatten)]
    pub event: Event,
}

impl Envelope {
    /// Whether bytes that do not read are an envelope all the same, of an event that this code does not know or of a version that it
    /// does not write: a newer reader has to see it.
    #[must_use]
    pub fn is_of_a_newer_version(bytes: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Outside {
            #[serde(rename = "id")]
            _id: EventId,
            version: u16,
            r#type: String,
        }
        serde_json::from_slice(bytes)
            .is_ok_and(|outside: Outside| outside.version > VERSION || !Event::NAMES.contains(&outside.r#type.as_str()))
    }

    /// An envelope around an event that happens now.
    #[must_use]
    pub fn new(clock: &Clock, request_id: Option<String>, event: Event) -> Self {
        Self {
            id: EventId::new(clock),
            version: VERSION,
            occurred_at: clock.now(),
            request_id,
            traceparent: None,
            event,
        }
    }
}
