//! Ids: each kind of thing has its own, so that a payment's never stands where an order's is meant.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Clock;

/// Declares a `UUIDv7` newtype for one kind of thing.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id of the clock's present moment.
            #[must_use]
            pub fn new(clock: &Clock) -> Self {
                Self(clock.new_id())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

id! {
    /// One person with a login.
    UserId,
    /// One login, from its password to its end.
    SessionId,
    /// One thing for sale.
    ProductId,
    /// One order.
    OrderId,
    /// The payment of one order; made by the order service.
    PaymentId,
    /// One event; a consumer that has seen it does nothing the second time.
    EventId,
}
