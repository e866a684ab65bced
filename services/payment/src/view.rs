//! A payment as clients see it.

use ecommerce_types::{Money, OrderId, PaymentId};
use serde::Serialize;
use time::OffsetDateTime;

use crate::domain;

/// The payment of one order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct Payment {
    /// The payment.
    id: PaymentId,
    /// Its order.
    order_id: OrderId,
    /// Where it stands.
    status: Status,
    /// What is to be paid.
    amount: Money,
    /// Minor units that were captured: all or nothing.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    amount_captured: i64,
    /// Minor units of these that went back.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    amount_refunded: i64,
    /// No charge begins after this.
    #[serde(with = "time::serde::rfc3339")]
    pay_by: OffsetDateTime,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Pay it with a method that is accepted.
    AwaitingPayment,
    /// The provider is at work on it.
    Processing,
    /// The money is here.
    Captured,
    /// It is over without money.
    Failed,
    /// Its order has ended without a sale; what was captured goes back.
    Closed,
}

impl From<domain::Payment> for Payment {
    fn from(payment: domain::Payment) -> Self {
        let status = match payment.status {
            domain::Status::AwaitingPayment if payment.processing => Status::Processing,
            domain::Status::AwaitingPayment => Status::AwaitingPayment,
            domain::Status::Captured => Status::Captured,
            domain::Status::Failed => Status::Failed,
            domain::Status::Closed => Status::Closed,
        };
        Self {
            id: payment.id,
            order_id: payment.order_id,
            status,
            amount: payment.amount,
            amount_captured: payment.amount_captured,
            amount_refunded: payment.amount_refunded,
            pay_by: payment.pay_by,
            created_at: payment.created_at,
        }
    }
}
