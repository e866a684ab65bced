//! What payment publishes, for order.

use ecommerce_types::{OrderId, PaymentId};
use serde::{Deserialize, Serialize};

/// The whole amount is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCaptured {
    /// The order.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Minor units that were captured.
    pub amount: i64,
}

/// The payment is over without money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailed {
    /// The order.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Why, as a stable word such as `card_declined`.
    pub code: String,
}

/// Money went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// The order.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Minor units that went back this time.
    pub amount: i64,
    /// Minor units that have gone back in all; the largest that order has heard is the truth.
    pub refunded_total: i64,
}
