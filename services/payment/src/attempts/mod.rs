//! Attempts to move money: how each is brought to its end, exactly once, whatever dies on the way.
//!
//! An attempt's row, with the key that the provider will be given, is committed before the provider is called. It has a holder: the
//! process that wrote it, which goes on with it in memory ([`Queue`]), without a further commit before the call. As long as that
//! process says that it lives, nobody else calls the provider for it. The provider is called with no transaction open
//! ([`call`]); results are committed together with the events that say so, as many at once as have come ([`recorder`]). A process that
//! dies leaves open attempts behind, and one that gets no answer lets go of its own: any replica then takes them over ([`worker`]),
//! the oldest first, looks each up at the provider under its key, and only when there is nothing sends the same again under the
//! same key. So every path ends in one of the provider's answers, and none in a guess.
//! And a charge that the provider has only promised never to make is looked up once more, when its time is over ([`voided`]).

mod call;
mod queue;
mod recorder;
pub(crate) mod voided;
pub(crate) mod worker;

use ecommerce_courier::Outgoing;
use ecommerce_postgres::Pool;
use ecommerce_types::Clock;
use uuid::Uuid;

use crate::provider::Provider;

pub(crate) use queue::{InHand, Known, Queue, Waiting};
pub(crate) use recorder::Recorder;

/// What it takes to bring attempts to their end. Clones share the queue and the recorder.
#[derive(Debug, Clone)]
pub(crate) struct Attempts {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) provider: Provider,
    /// This process, as a holder.
    pub(crate) holder: Uuid,
    /// For how long a sign of life of this process counts.
    pub(crate) hold_time: time::Duration,
    /// The most calls to the provider at once; what a customer waits for is not counted.
    pub(crate) most_calls: usize,
    /// What waits for [`worker`].
    pub(crate) queue: Queue,
    pub(crate) recorder: Recorder,
    /// Takes the events of each commit.
    pub(crate) outgoing: Outgoing,
}
