//! What order publishes.

use ecommerce_types::{Currency, OrderId, PaymentId, ProductId, Quantity, UserId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// To product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// What is to be set aside: each product once.
    pub lines: Vec<OrderLine>,
    /// Nothing is set aside after this: the order expires, and nobody would give it back.
    #[serde(with = "time::serde::rfc3339")]
    pub pay_by: OffsetDateTime,
}

/// A product and how many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces.
    pub quantity: Quantity,
}

/// To payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRequested {
    /// The order.
    pub order_id: OrderId,
    /// The payment's id, made by order.
    pub payment_id: PaymentId,
    /// Whose order it is.
    pub customer_id: UserId,
    /// Minor units of `currency`.
    pub amount: i64,
    /// The currency's ISO 4217 letters.
    pub currency: Currency,
    /// A method that came with the order and is charged at once; its decline fails the payment.
    #[serde(default)]
    pub payment_method: Option<String>,
    /// No charge begins after this.
    #[serde(with = "time::serde::rfc3339")]
    pub pay_by: OffsetDateTime,
}

/// To product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPaid {
    /// The order.
    pub order_id: OrderId,
}

/// To product and payment. Of an order they have not heard of, it leaves a tombstone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderClosed {
    /// The order.
    pub order_id: OrderId,
    /// How it ended.
    pub outcome: ClosedAs,
    /// Its payment, where one was requested; payment may hear of that later than of this.
    #[serde(default)]
    pub payment_id: Option<PaymentId>,
    /// Its payment deadline. From then on nothing is set aside for it, and no tombstone is needed.
    #[serde(with = "time::serde::rfc3339")]
    pub pay_by: OffsetDateTime,
}

/// To product: nothing more will happen to the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFulfilled {
    /// The order.
    pub order_id: OrderId,
}

/// How an order ends without a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedAs {
    /// Somebody called it off; if it was paid, its money goes back.
    Cancelled,
    /// Nobody paid in time.
    Expired,
    /// The payment failed for good.
    PaymentFailed,
    /// A way to end that a later version knows. Whoever holds something for the order gives it back all the same.
    #[serde(other)]
    Other,
}
