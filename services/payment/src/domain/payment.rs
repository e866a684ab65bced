//! A payment.

use std::str::FromStr;

use ecommerce_types::{Invalid, Money, OrderId, PaymentId, UserId};
use time::OffsetDateTime;

use super::AttemptId;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    /// It waits for a method that is accepted.
    AwaitingPayment,
    /// The money is here.
    Captured,
    /// It is over without money.
    Failed,
    /// Its order has ended without a sale: no charge begins, and money that is here goes back.
    Closed,
}

impl Status {
    pub(crate) const ALL: [Self; 4] = [Self::AwaitingPayment, Self::Captured, Self::Failed, Self::Closed];

    /// The name in the database.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting_payment",
            Self::Captured => "captured",
            Self::Failed => "failed",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for Status {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(Invalid("no such payment status"))
    }
}

/// The payment of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) order_id: OrderId,
    /// Whose order it is.
    pub(crate) customer_id: UserId,
    /// What is to be paid.
    pub(crate) amount: Money,
    pub(crate) status: Status,
    /// Whether a charge has begun and not ended; no other may begin.
    pub(crate) processing: bool,
    /// No charge begins after this.
    pub(crate) pay_by: OffsetDateTime,
    /// How many methods have been declined.
    pub(crate) declines: i16,
    /// The attempt that captured its money.
    pub(crate) charge_id: Option<AttemptId>,
    /// Minor units that the provider holds or has held for us: all or nothing. Without what was captured
    /// [late](super::voided), which is no money of the sale.
    pub(crate) amount_captured: i64,
    /// Minor units of these that went back.
    pub(crate) amount_refunded: i64,
    /// When it was asked for.
    pub(crate) created_at: OffsetDateTime,
}

/// Why no charge may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotPayable {
    /// The money is here.
    #[error("this payment is captured already")]
    Captured,
    /// Too many declines, or the one that counted.
    #[error("this payment has failed; place the order again")]
    Failed,
    /// The order has ended.
    #[error("the order of this payment is closed")]
    Closed,
    /// `pay_by` has passed.
    #[error("the time to pay is over")]
    Overdue,
    /// Another charge has not ended.
    #[error("another attempt to pay is still being processed; read the payment to see how it ends")]
    Processing,
}

impl NotPayable {
    /// The stable word of a problem document.
    #[must_use]
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Captured => "payment_captured",
            Self::Failed => "payment_failed",
            Self::Closed => "payment_closed",
            Self::Overdue => "payment_overdue",
            Self::Processing => "payment_processing",
        }
    }
}

impl Payment {
    /// Whether a new charge may begin.
    pub(crate) fn payable(&self, now: OffsetDateTime) -> Result<(), NotPayable> {
        self.chargeable(now)?;
        if self.processing { Err(NotPayable::Processing) } else { Ok(()) }
    }

    /// Whether the charge that has begun may still be sent to the provider.
    pub(crate) fn chargeable(&self, now: OffsetDateTime) -> Result<(), NotPayable> {
        match self.status {
            Status::AwaitingPayment if now < self.pay_by => Ok(()),
            Status::AwaitingPayment => Err(NotPayable::Overdue),
            Status::Captured => Err(NotPayable::Captured),
            Status::Failed => Err(NotPayable::Failed),
            Status::Closed => Err(NotPayable::Closed),
        }
    }
}
