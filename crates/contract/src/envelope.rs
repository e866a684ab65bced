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
    /// Names the event; a receiver that has recorded it does nothing the second time.
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
