//! What becomes of an order. Everything that can happen to one is a method here, and each answers what to tell the others.
//!
//! Messages come in any order and more than once, so what does not fit the present state is passed over: it is old news. What
//! a person asks for and does not fit is refused.

use ecommerce_contract::Event;
use ecommerce_contract::events::{
    OrderClosed, OrderLine, OrderPaid, OrderPlaced, Outcome, PaymentCaptured, PaymentRequested,
};
use ecommerce_types::PaymentId;
use time::OffsetDateTime;

use super::{Order, Status};

/// What a change of an order does to the rest of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the order stays as it was.
    None,
    /// The order has changed; nobody needs to know.
    Quiet,
    /// The order has changed; this is to be told.
    Told(Event),
}

/// A person asked for what the order's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {} cannot be {wanted}", status.as_str())]
pub struct NotAllowed {
    /// Where the order stands.
    pub status: Status,
    /// What was asked for.
    pub wanted: &'static str,
}

impl Order {
    /// What a new order tells.
    #[must_use]
    pub fn placed(&self) -> Event {
        let lines = self.lines.iter().map(|line| OrderLine { product_id: line.product_id, quantity: line.quantity });
        Event::OrderPlaced(OrderPlaced { order_id: self.id, lines: lines.collect() })
    }

    /// Its stock is set aside: now it wants its money, under a payment with this id.
    pub fn stock_reserved(&mut self, payment_id: PaymentId, now: OffsetDateTime) -> Change {
        if self.status != Status::Pending {
            return Change::None;
        }
        self.become_status(Status::AwaitingPayment, now);
        self.payment_id = Some(payment_id);
        Change::Told(Event::PaymentRequested(PaymentRequested {
            order_id: self.id,
            payment_id,
            customer_id: self.customer_id,
            amount: self.total.amount,
            currency: self.currency(),
            payment_method: self.payment_method.clone(),
            pay_by: self.pay_by,
        }))
    }

    /// Its stock is not there. Nobody holds anything for it, so nobody is told.
    pub fn stock_rejected(&mut self, now: OffsetDateTime) -> Change {
        if self.status != Status::Pending {
            return Change::None;
        }
        self.become_status(Status::Rejected, now);
        self.reason = Some("out_of_stock".to_owned());
        Change::Quiet
    }

    /// Its money is here. If the order has ended meanwhile, payment has been told so and gives the money back.
    pub fn payment_captured(&mut self, captured: &PaymentCaptured, now: OffsetDateTime) -> Change {
        if self.status != Status::AwaitingPayment || self.payment_id != Some(captured.payment_id) {
            return Change::None;
        }
        self.become_status(Status::Paid, now);
        Change::Told(Event::OrderPaid(OrderPaid { order_id: self.id }))
    }

    /// Its money will not come.
    pub fn payment_failed(&mut self, code: &str, now: OffsetDateTime) -> Change {
        if self.status != Status::AwaitingPayment {
            return Change::None;
        }
        self.reason = Some(code.to_owned());
        self.close(Status::PaymentFailed, Outcome::PaymentFailed, now)
    }

    /// Some of its money went back. The totals come in any order: the largest is the latest.
    pub fn payment_refunded(&mut self, refunded_total: i64, now: OffsetDateTime) -> Change {
        let refunded_total = refunded_total.min(self.total.amount);
        if refunded_total <= self.amount_refunded {
            return Change::None;
        }
        self.amount_refunded = refunded_total;
        self.updated_at = now;
        Change::Quiet
    }

    /// Calls it off; what is paid is given back.
    pub fn cancel(&mut self, now: OffsetDateTime) -> Result<Change, NotAllowed> {
        match self.status {
            Status::Pending | Status::AwaitingPayment | Status::Paid => {
                self.reason = Some("cancelled_by_request".to_owned());
                Ok(self.close(Status::Cancelled, Outcome::Cancelled, now))
            }
            // Asked for twice, done once.
            Status::Cancelled => Ok(Change::None),
            Status::Fulfilled | Status::Rejected | Status::Expired | Status::PaymentFailed => {
                Err(NotAllowed { status: self.status, wanted: "cancelled" })
            }
        }
    }

    /// It has been sent.
    pub fn fulfil(&mut self, now: OffsetDateTime) -> Result<Change, NotAllowed> {
        match self.status {
            Status::Paid => {
                self.become_status(Status::Fulfilled, now);
                Ok(Change::Quiet)
            }
            Status::Fulfilled => Ok(Change::None),
            status => Err(NotAllowed { status, wanted: "fulfilled" }),
        }
    }

    /// Nobody paid in time.
    pub fn expire(&mut self, now: OffsetDateTime) -> Change {
        match self.status {
            Status::Pending | Status::AwaitingPayment if self.pay_by <= now => {
                self.reason = Some("not_paid_in_time".to_owned());
                self.close(Status::Expired, Outcome::Expired, now)
            }
            _ => Change::None,
        }
    }

    /// Ends it without a sale, and tells those who hold something for it.
    fn close(&mut self, status: Status, outcome: Outcome, now: OffsetDateTime) -> Change {
        self.become_status(status, now);
        Change::Told(Event::OrderClosed(OrderClosed { order_id: self.id, outcome }))
    }

    fn become_status(&mut self, status: Status, now: OffsetDateTime) {
        self.status = status;
        self.updated_at = now;
    }
}
