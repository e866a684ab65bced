//! An order as a client sees it.

use ecommerce_types::{Money, OrderId, PaymentId, ProductId, Quantity, UserId};
use serde::Serialize;
use time::OffsetDateTime;

use crate::domain::{self, Metadata, Status};

/// An order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Order {
    id: OrderId,
    /// Whose it is.
    customer_id: UserId,
    status: Status,
    items: Vec<Line>,
    total: Money,
    /// What to pay, once the stock is reserved.
    payment_id: Option<PaymentId>,
    /// An order that is not paid by then expires.
    #[serde(with = "time::serde::rfc3339")]
    pay_by: OffsetDateTime,
    /// Minor units of the total's currency that went back.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    amount_refunded: i64,
    /// Why it ended without a sale, as a stable word.
    reason: Option<String>,
    /// What was written on it.
    metadata: Metadata,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// One product of an order, as it was called and what it cost at the placing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Line {
    product_id: ProductId,
    /// The shop's own name for it.
    sku: String,
    /// What customers call it.
    name: String,
    quantity: Quantity,
    /// What one piece costs.
    unit_price: Money,
}

impl From<domain::Order> for Order {
    fn from(order: domain::Order) -> Self {
        let line = |line: domain::Line| Line {
            product_id: line.product_id,
            sku: line.sku,
            name: line.name,
            quantity: line.quantity,
            unit_price: line.unit_price,
        };
        Self {
            id: order.id,
            customer_id: order.customer_id,
            status: order.status,
            items: order.lines.into_iter().map(line).collect(),
            total: order.total,
            payment_id: order.payment_id,
            pay_by: order.pay_by,
            amount_refunded: order.amount_refunded,
            reason: order.reason,
            metadata: order.metadata,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}
