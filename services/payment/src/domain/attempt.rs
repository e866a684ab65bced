//! One attempt to move money.

use ecommerce_types::{Invalid, Money, PaymentId, UserId};
use time::Duration;
use uuid::Uuid;

use super::{GiveBack, Payment};

/// How long a customer who asks again under the same `Idempotency-Key` has the same answer.
pub(crate) const ANSWERS_KEPT: Duration = Duration::hours(24);

/// Names an attempt: its id with us, and the idempotency key under which the provider does it once. A larger one is younger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AttemptId(pub(crate) Uuid);

impl std::fmt::Display for AttemptId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An attempt that is to be brought to its end.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) key: AttemptId,
    pub(crate) payment_id: PaymentId,
    /// Whose payment it is.
    pub(crate) customer_id: UserId,
    pub(crate) amount: Money,
    pub(crate) kind: Kind,
    /// Of the request that caused it.
    pub(crate) request_id: Option<String>,
}

/// Which way the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To us.
    Charge {
        /// What it is charged to, as the provider names it.
        method: String,
        origin: Origin,
    },
    /// Back.
    Refund {
        /// The charge whose money it is.
        charge: AttemptId,
    },
}

impl Kind {
    /// The name in the database.
    #[must_use]
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Charge { .. } => "charge",
            Self::Refund { .. } => "refund",
        }
    }
}

impl Attempt {
    /// Gives back some of a payment's money, under a key of its own.
    pub(crate) fn refund(
        key: AttemptId,
        payment: &Payment,
        GiveBack { charge, amount }: GiveBack,
        request_id: Option<String>,
    ) -> Result<Self, Invalid> {
        Ok(Self {
            key,
            payment_id: payment.id,
            customer_id: payment.customer_id,
            amount: Money::new(amount, payment.amount.currency())?,
            kind: Kind::Refund { charge },
            request_id,
        })
    }

    /// The charge that it is, or whose money it gives back.
    #[must_use]
    pub(crate) fn charge(&self) -> AttemptId {
        match self.kind {
            Kind::Charge { .. } => self.key,
            Kind::Refund { charge } => charge,
        }
    }

    /// Who began it; what goes back, order did.
    #[must_use]
    pub(crate) fn origin(&self) -> Origin {
        match self.kind {
            Kind::Charge { origin, .. } => origin,
            Kind::Refund { .. } => Origin::Order,
        }
    }

    /// Whether a customer waits for its answer.
    #[must_use]
    pub(crate) fn is_asked_for(&self) -> bool {
        self.origin() == Origin::Customer
    }
}

/// Who began a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The method came with the order: a decline is final.
    Order,
    /// A customer chose a method: after a decline another may be chosen.
    Customer,
}

/// How an attempt has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A charge, so.
    Charge(ChargeOutcome),
    /// A refund is never declined: it is tried until it is made.
    Refunded,
}

impl Outcome {
    /// The name in the database.
    #[must_use]
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Charge(outcome) => outcome.as_str(),
            Self::Refunded => "refunded",
        }
    }

    /// Whether this is what the provider has promised, and not what it has done.
    #[must_use]
    pub(crate) fn is_a_promise(&self) -> bool {
        match self {
            Self::Charge(ChargeOutcome::Abandoned | ChargeOutcome::Withheld) => true,
            Self::Charge(ChargeOutcome::Captured | ChargeOutcome::Declined(_)) | Self::Refunded => false,
        }
    }

    /// Why the provider refused, if it did.
    #[must_use]
    pub(crate) fn decline_code(&self) -> Option<&str> {
        match self {
            Self::Charge(ChargeOutcome::Declined(code)) => Some(code),
            Self::Charge(_) | Self::Refunded => None,
        }
    }
}

/// How a charge has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChargeOutcome {
    /// The provider holds the whole amount for us.
    Captured,
    /// The provider refused the method, for this reason: a stable word such as `card_declined`.
    Declined(String),
    /// The provider was never charged and has promised never to be, under this key.
    Abandoned,
    /// The same, because the customer has had [too many](super::card_testing) declined.
    Withheld,
}

impl ChargeOutcome {
    /// The name in the database.
    #[must_use]
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Declined(_) => "declined",
            Self::Abandoned => "abandoned",
            Self::Withheld => "withheld",
        }
    }
}
