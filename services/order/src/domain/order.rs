//! An order.

use std::str::FromStr;

use ecommerce_types::{Currency, Invalid, Money, OrderId, PaymentId, ProductId, Quantity, UserId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

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

/// One product of an order, at the price of its placing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) product_id: ProductId,
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
    /// When it was placed.
    pub(crate) created_at: OffsetDateTime,
    /// When it last changed.
    pub(crate) updated_at: OffsetDateTime,
}

impl Order {
    /// The currency of all its amounts.
    #[must_use]
    pub(crate) fn currency(&self) -> Currency {
        self.total.currency()
    }
}
