//! The events. No order of delivery is promised, and each may come more than once.

mod order;
mod payment;
mod stock;

pub use order::{OrderClosed, OrderLine, OrderPaid, OrderPlaced, Outcome, PaymentRequested};
pub use payment::{PaymentCaptured, PaymentFailed, PaymentRefunded};
pub use stock::{StockRejected, StockReserved};

use ecommerce_types::OrderId;
use serde::{Deserialize, Serialize};

/// Everything that one service tells another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "payload")]
pub enum Event {
    /// An order was placed and waits for its stock.
    #[serde(rename = "order.placed")]
    OrderPlaced(OrderPlaced),
    /// An order has its stock and waits for its money.
    #[serde(rename = "order.payment_requested")]
    PaymentRequested(PaymentRequested),
    /// An order is paid; its reservation becomes a sale.
    #[serde(rename = "order.paid")]
    OrderPaid(OrderPaid),
    /// An order has ended without a sale; stock and money go back.
    #[serde(rename = "order.closed")]
    OrderClosed(OrderClosed),
    /// All lines of an order are set aside.
    #[serde(rename = "stock.reserved")]
    StockReserved(StockReserved),
    /// Not all lines of an order could be set aside, so none is.
    #[serde(rename = "stock.rejected")]
    StockRejected(StockRejected),
    /// The money of an order is here.
    #[serde(rename = "payment.captured")]
    PaymentCaptured(PaymentCaptured),
    /// The money of an order will not come.
    #[serde(rename = "payment.failed")]
    PaymentFailed(PaymentFailed),
    /// Some or all of an order's money went back.
    #[serde(rename = "payment.refunded")]
    PaymentRefunded(PaymentRefunded),
}

impl Event {
    /// The event's name, which is its routing key.
    #[must_use]
    pub fn routing_key(&self) -> &'static str {
        match self {
            Self::OrderPlaced(_) => "order.placed",
            Self::PaymentRequested(_) => "order.payment_requested",
            Self::OrderPaid(_) => "order.paid",
            Self::OrderClosed(_) => "order.closed",
            Self::StockReserved(_) => "stock.reserved",
            Self::StockRejected(_) => "stock.rejected",
            Self::PaymentCaptured(_) => "payment.captured",
            Self::PaymentFailed(_) => "payment.failed",
            Self::PaymentRefunded(_) => "payment.refunded",
        }
    }

    /// The order it is about.
    #[must_use]
    pub fn order_id(&self) -> OrderId {
        match self {
            Self::OrderPlaced(event) => event.order_id,
            Self::PaymentRequested(event) => event.order_id,
            Self::OrderPaid(event) => event.order_id,
            Self::OrderClosed(event) => event.order_id,
            Self::StockReserved(event) => event.order_id,
            Self::StockRejected(event) => event.order_id,
            Self::PaymentCaptured(event) => event.order_id,
            Self::PaymentFailed(event) => event.order_id,
            Self::PaymentRefunded(event) => event.order_id,
        }
    }
}
