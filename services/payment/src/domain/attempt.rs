//! One attempt to move money.

use uuid::Uuid;

/// Names an attempt: its id with us, and the idempotency key under which the provider does it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AttemptId(pub(crate) Uuid);

impl std::fmt::Display for AttemptId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
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

    /// Why the provider refused, if it did.
    #[must_use]
    pub(crate) fn decline_code(&self) -> Option<&str> {
        match self {
            Self::Declined(code) => Some(code),
            Self::Captured | Self::Abandoned | Self::Withheld => None,
        }
    }
}
