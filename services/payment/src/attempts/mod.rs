//! Attempts to move money: how each is brought to its end, exactly once, whatever dies on the way.
//!
//! An attempt's row, with the key that the provider will be given, is committed before the provider is called. It is born
//! held by the process that wrote it: until the hold is over, nobody else calls the provider for it, and no further commit
//! lies between the row and the call. The provider is called with no transaction open; the result commits together with the
//! event that says so. A process that dies leaves an open attempt behind, and one that gets no answer lets go of it: any
//! replica then takes it over, looks it up at the provider under its key, and only when there is nothing sends the same again
//! under the same key. So every path ends in one of the provider's answers, and none in a guess.
//!
//! To add a kind of attempt: a file beside [`charge`] and [`refund`] with its call and its record, a table with the same
//! columns `holder` and `held_until`, and its lines in [`worker`].

mod at_work;
mod charge;
mod refund;
pub(crate) mod worker;

use ecommerce_courier::Outgoing;
use ecommerce_postgres::Pool;
use ecommerce_runtime::Notifier;
use ecommerce_types::Clock;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::provider::Provider;
use crate::store::charges::Hold;

pub(crate) use at_work::{AtWork, Guard};

/// Whether a provider may have heard of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// No process has called the provider: this one wrote the attempt and begins with it.
    None,
    /// Another process, or an earlier try of this one, may have called: it is looked up first.
    Unknown,
}

/// What it takes to bring attempts to their end.
#[derive(Debug, Clone)]
pub(crate) struct Attempts {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) provider: Provider,
    /// This process, as a holder.
    pub(crate) holder: Uuid,
    /// How long the provider may be at work on an attempt before another process takes it over.
    pub(crate) hold_time: time::Duration,
    pub(crate) at_work: AtWork,
    /// Notified after each commit that left attempts for [`worker`].
    pub(crate) work: Notifier,
    /// Takes the events of each commit.
    pub(crate) outgoing: Outgoing,
}

impl Attempts {
    /// The hold of this process on an attempt that it writes or takes over now.
    pub(crate) fn hold(&self, now: OffsetDateTime) -> Hold {
        Hold { holder: self.holder, until: now + self.hold_time }
    }
}
