//! Who takes the money: a service of somebody else's, across a network. It may be slow, answer twice or not at all.
//!
//! What is asked of a provider stands here as methods of [`Provider`]: each does its work once for a key, however often it is
//! asked. Nothing here touches this service's tables, and no transaction of this service is open while a provider is asked.
//! To add a provider: a module beside [`simulator`], a variant here and in [`crate::config::Kind`]; the compiler names every
//! method that the new one owes.

pub(crate) mod simulator;

use ecommerce_types::Money;

pub(crate) use simulator::Simulator;

use crate::domain::{AttemptId, ChargeOutcome};

/// A charge as the provider is asked for it.
#[derive(Debug, Clone)]
pub(crate) struct ChargeOrder {
    pub(crate) key: AttemptId,
    pub(crate) amount: Money,
    pub(crate) method: String,
}

/// A refund as the provider is asked for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefundOrder {
    pub(crate) key: AttemptId,
    /// The charge whose money goes back.
    pub(crate) charge: AttemptId,
    pub(crate) amount: Money,
}

/// Why it is not known what the provider has done. It is looked up later, under the same key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The answer did not come in time; the work may be done or not.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// The provider cannot do anything for now.
    #[error("unable to reach the provider")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The provider refuses what it is asked: a fault of ours that somebody has to look at.
    #[error("the provider refuses the request: {0}")]
    Refused(&'static str),
}

/// The provider of this stack.
#[derive(Debug, Clone)]
pub(crate) enum Provider {
    /// A ledger that plays a provider.
    Simulator(Simulator),
}

impl Provider {
    /// Whether a customer may choose this method. One that came with an order is not asked about: the charge says.
    pub(crate) fn knows(&self, method: &str) -> bool {
        match self {
            Self::Simulator(_) => Simulator::knows(method),
        }
    }

    /// Charges the whole amount.
    pub(crate) async fn charge(&self, order: ChargeOrder) -> Result<ChargeOutcome, Error> {
        match self {
            Self::Simulator(simulator) => simulator.charge(order).await,
        }
    }

    /// How the charge with this key has ended; `None` when there is none.
    pub(crate) async fn find_charge(&self, key: AttemptId) -> Result<Option<ChargeOutcome>, Error> {
        match self {
            Self::Simulator(simulator) => simulator.find_charge(key).await,
        }
    }

    /// Makes sure that the charge with this key will not take place, also not by a request that is still on its way. When it
    /// has taken place already, the answer is how it ended; else [`ChargeOutcome::Abandoned`].
    pub(crate) async fn void(&self, order: ChargeOrder) -> Result<ChargeOutcome, Error> {
        match self {
            Self::Simulator(simulator) => simulator.void(order).await,
        }
    }

    pub(crate) async fn refund(&self, order: RefundOrder) -> Result<(), Error> {
        match self {
            Self::Simulator(simulator) => simulator.refund(order).await,
        }
    }

    /// Whether the refund with this key has been made.
    pub(crate) async fn find_refund(&self, key: AttemptId) -> Result<bool, Error> {
        match self {
            Self::Simulator(simulator) => simulator.find_refund(key).await,
        }
    }
}
