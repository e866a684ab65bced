//! The five services by name.

use std::fmt;

/// One of the five services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Users, logins and sessions.
    Auth,
    /// The door: everything from outside comes through it.
    Gateway,
    /// The catalogue and its stock.
    Product,
    /// Orders and their clock.
    Order,
    /// Payments and the providers that take them.
    Payment,
}

impl Service {
    /// All five, in the order in which people list them.
    pub const ALL: [Self; 5] = [Self::Auth, Self::Gateway, Self::Product, Self::Order, Self::Payment];

    /// The services that keep a database.
    pub const WITH_DATABASE: [Self; 4] = [Self::Auth, Self::Product, Self::Order, Self::Payment];

    /// The services that meet at the broker; each has a queue of its own name.
    pub const WITH_BROKER: [Self; 3] = [Self::Product, Self::Order, Self::Payment];

    /// The name: of the binary, the image, the queue, and the end of every name in Kubernetes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Gateway => "gateway",
            Self::Product => "product",
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
