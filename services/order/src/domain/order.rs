//! An order.

use std::str::FromStr;

use ecommerce_types::{Currency, Invalid, Money, OrderId, PaymentId, ProductId, Quantity, UserId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Metadata;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Placed; its stock is being asked for.
    Pending,
    /// Its stock is reserved; its money is awaited.
    AwaitingPayment,
    /// Its money is here.
    Paid,
    /// It has been sent.
    Fulfilled,
    /// Its stock was not there.
    Rejected,
    /// It was called off.
    Cancelled,
    /// Nobody paid in time.
    Expired,
    /// Its payment failed for good.
    PaymentFailed,
}

impl Status {
    pub(crate) const ALL: [Self; 8] = [
        Self::Pending,
        Self::AwaitingPayment,
        Self::Paid,
        Self::Fulfilled,
        Self::Rejected,
        Self::Cancelled,
        Self::Expired,
        Self::PaymentFailed,
    ];

    /// Whether an order waits for its stock or its money, and not for longer than until its deadline.
    #[must_use]
    pub(crate) fn is_unpaid(self) -> bool {
        matches!(self, Self::Pending | Self::AwaitingPayment)
    }

    /// Whether something is still to come: money, or that it is sent.
    #[must_use]
    pub(crate) fn is_open(self) -> bool {
        self.is_unpaid() || self == Self::Paid
    }

    /// The name in the database and in JSON.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::AwaitingPayment => "awaiting_payment",
            Self::Paid => "paid",
            Self::Fulfilled => "fulfilled",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::PaymentFailed => "payment_failed",
        }
    }
}

impl FromStr for Status {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(Invalid("no such order status"))
    }
}

/// One product of an order, as it was called and what it cost at the placing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) product_id: ProductId,
    /// The shop's own name for it.
    pub(crate) sku: String,
    /// What customers call it.
    pub(crate) name: String,
    pub(crate) quantity: Quantity,
    /// What one piece costs.
    pub(crate) unit_price: Money,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) customer_id: UserId,
    pub(crate) status: Status,
    /// How often it has changed, its placing included.
    pub(crate) version: i32,
    /// What was ordered, each product once.
    pub(crate) lines: Vec<Line>,
    /// The sum of the lines.
    pub(crate) total: Money,
    /// A method that came with the order.
    pub(crate) payment_method: Option<String>,
    /// Its payment, once there is something to pay.
    pub(crate) payment_id: Option<PaymentId>,
    /// Its payment deadline: after this it expires unpaid.
    pub(crate) pay_by: OffsetDateTime,
    /// Minor units that went back.
    pub(crate) amount_refunded: i64,
    /// Why it ended without a sale, as a stable word.
    pub(crate) reason: Option<String>,
    /// What is written on it.
    pub(crate) metadata: Metadata,
    /// When it was placed.
    pub(crate) created_at: OffsetDateTime,
    /// When it last changed.
    pub(crate) updated_at: OffsetDateTime,
}

/// One change of an order: what it was afterwards, when and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) order_id: OrderId,
    pub(crate) version: i32,
    pub(crate) at: OffsetDateTime,
    pub(crate) status: Status,
    pub(crate) amount_refunded: i64,
    pub(crate) reason: Option<String>,
    /// Nobody, when it came of itself.
    pub(crate) by: Option<UserId>,
}

impl Order {
    /// The change that has made it what it is.
    #[must_use]
    pub(crate) fn latest_step(&self, by: Option<UserId>) -> Step {
        Step {
            order_id: self.id,
            version: self.version,
            at: self.updated_at,
            status: self.status,
            amount_refunded: self.amount_refunded,
            reason: self.reason.clone(),
            by,
        }
    }

    /// The currency of all its amounts.
    #[must_use]
    pub(crate) fn currency(&self) -> Currency {
        self.total.currency()
    }
}
