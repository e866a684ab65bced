//! What becomes of a payment. Everything that can happen to one is a method here, and each answers what is to be published and
//! what is to be given back.

use ecommerce_contract::Event;
use ecommerce_contract::events::{PaymentCaptured, PaymentFailed, PaymentRefunded};

use super::{AttemptId, ChargeOutcome, Origin, Payment, Status, card_testing};

/// The decline with this number is the last.
pub(crate) const MOST_DECLINES: i16 = 5;

/// What a change of a payment does to the rest of the world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// To be published for order.
    pub(crate) event: Option<Event>,
    /// What is to be given back.
    pub(crate) refund: Option<GiveBack>,
}

/// Money that is to be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GiveBack {
    /// The charge whose money it is.
    pub(crate) charge: AttemptId,
    /// Minor units.
    pub(crate) amount: i64,
}

impl Payment {
    /// The charge that was open has ended.
    pub(crate) fn charge_ended(&mut self, charge: AttemptId, origin: Origin, outcome: &ChargeOutcome) -> Effect {
        self.processing = false;
        match outcome {
            ChargeOutcome::Captured => self.captured(charge),
            ChargeOutcome::Declined(code) => self.declined(origin, code),
            ChargeOutcome::Withheld => self.failed(card_testing::CODE),
            // Nothing has happened, and nobody needs to know: order keeps the clock that ends this payment.
            ChargeOutcome::Abandoned => Effect::default(),
        }
    }

    fn captured(&mut self, charge: AttemptId) -> Effect {
        self.charge_id = Some(charge);
        self.amount_captured = self.amount.amount();
        if self.status != Status::AwaitingPayment {
            // The order was closed while the provider was at work: nobody waits for this money any more.
            return Effect { refund: self.held(), event: None };
        }
        self.status = Status::Captured;
        let event = Event::PaymentCaptured(PaymentCaptured {
            order_id: self.order_id,
            payment_id: self.id,
            amount: self.amount_captured,
        });
        Effect { event: Some(event), refund: None }
    }

    fn declined(&mut self, origin: Origin, code: &str) -> Effect {
        self.declines = self.declines.saturating_add(1);
        let last = origin == Origin::Order || self.declines >= MOST_DECLINES;
        if last { self.failed(code) } else { Effect::default() }
    }

    fn failed(&mut self, code: &str) -> Effect {
        if self.status != Status::AwaitingPayment {
            return Effect::default();
        }
        self.status = Status::Failed;
        let event =
            Event::PaymentFailed(PaymentFailed { order_id: self.order_id, payment_id: self.id, code: code.to_owned() });
        Effect { event: Some(event), refund: None }
    }

    /// Its order has ended without a sale.
    pub(crate) fn close(&mut self) -> Effect {
        match self.status {
            Status::AwaitingPayment | Status::Captured => {
                self.status = Status::Closed;
                Effect { refund: self.held(), event: None }
            }
            // Old news, or over already.
            Status::Failed | Status::Closed => Effect::default(),
        }
    }

    /// The provider has given some of the money of this charge back. What it had captured [late](super::voided) was never this
    /// payment's: order, whose sale may stand, is not told.
    pub(crate) fn refunded(&mut self, charge: AttemptId, amount: i64) -> Effect {
        if self.charge_id != Some(charge) {
            return Effect::default();
        }
        self.amount_refunded = self.amount_refunded.saturating_add(amount);
        let event = Event::PaymentRefunded(PaymentRefunded {
            order_id: self.order_id,
            payment_id: self.id,
            amount,
            refunded_total: self.amount_refunded,
        });
        Effect { event: Some(event), refund: None }
    }

    /// What is here and could go back.
    fn held(&self) -> Option<GiveBack> {
        let held = GiveBack { charge: self.charge_id?, amount: self.amount_captured - self.amount_refunded };
        Some(held).filter(|held| held.amount > 0)
    }
}

#[cfg(test)]
mod tests;
