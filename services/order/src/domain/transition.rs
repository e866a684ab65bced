//! What becomes of an order. Everything that can happen to one is a method here, and each answers what is to be published.
//!
//! Messages come in any order and more than once, so what does not fit the present state is passed over: it is old news. What
//! a person asks for and does not fit is refused.

use ecommerce_contract::Event;
use ecommerce_contract::events::{
    ClosedAs, OrderClosed, OrderFulfilled, OrderLine, OrderPaid, OrderPlaced, PaymentCaptured, PaymentFailed,
    PaymentRequested,
};
use ecommerce_types::PaymentId;
use time::OffsetDateTime;

use super::{Order, Overdue, Status};

/// What a change of an order does to the rest of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing: the order stays as it was.
    None,
    /// The order has changed; nobody needs to know.
    Silent,
    /// The order has changed; this is to be published.
    Publish(Event),
}

/// A person asked for what the order's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {} cannot be {wanted}", status.as_str())]
pub(crate) struct NotAllowed {
    /// Where the order stands.
    pub(crate) status: Status,
    /// What was asked for.
    pub(crate) wanted: &'static str,
}

impl Order {
    /// What a new order publishes.
    #[must_use]
    pub(crate) fn placed(&self) -> Event {
        let lines = self.lines.iter().map(|line| OrderLine { product_id: line.product_id, quantity: line.quantity });
        Event::OrderPlaced(OrderPlaced { order_id: self.id, lines: lines.collect(), pay_by: self.pay_by })
    }

    /// What those who hold something for it were told last; to be told again, where they may not have heard. They find that they have
    /// done it, if they have.
    #[must_use]
    pub(crate) fn told_last(&self) -> Option<Event> {
        let outcome = match self.status {
            Status::Pending | Status::AwaitingPayment | Status::Rejected => return None,
            Status::Paid => return Some(Event::OrderPaid(OrderPaid { order_id: self.id })),
            Status::Fulfilled => return Some(Event::OrderFulfilled(OrderFulfilled { order_id: self.id })),
            Status::Cancelled => ClosedAs::Cancelled,
            Status::Expired => ClosedAs::Expired,
            Status::PaymentFailed => ClosedAs::PaymentFailed,
        };
        Some(self.closed(outcome))
    }

    fn closed(&self, outcome: ClosedAs) -> Event {
        let Self { id: order_id, payment_id, pay_by, .. } = *self;
        Event::OrderClosed(OrderClosed { order_id, outcome, payment_id, pay_by })
    }

    /// Its stock is set aside: now it wants its money, under a payment with this id.
    pub(crate) fn stock_reserved(&mut self, payment_id: PaymentId, now: OffsetDateTime) -> Change {
        if self.status != Status::Pending {
            return Change::None;
        }
        self.become_status(Status::AwaitingPayment, now);
        self.payment_id = Some(payment_id);
        Change::Publish(Event::PaymentRequested(PaymentRequested {
            order_id: self.id,
            payment_id,
            customer_id: self.customer_id,
            amount: self.total.amount(),
            currency: self.currency(),
            payment_method: self.payment_method.clone(),
            pay_by: self.pay_by,
        }))
    }

    /// Its stock is not there. Nobody holds anything for it, so nothing is published.
    pub(crate) fn stock_rejected(&mut self, now: OffsetDateTime) -> Change {
        if self.status != Status::Pending {
            return Change::None;
        }
        self.become_status(Status::Rejected, now);
        self.reason = Some("out_of_stock".to_owned());
        Change::Silent
    }

    /// Its money is here. If the order has ended meanwhile, payment has read so and gives the money back.
    pub(crate) fn payment_captured(&mut self, captured: &PaymentCaptured, now: OffsetDateTime) -> Change {
        let is_its_own = self.payment_id == Some(captured.payment_id) && captured.amount == self.total.amount();
        if self.status != Status::AwaitingPayment || !is_its_own {
            return Change::None;
        }
        self.become_status(Status::Paid, now);
        Change::Publish(Event::OrderPaid(OrderPaid { order_id: self.id }))
    }

    /// Its money will not come.
    pub(crate) fn payment_failed(&mut self, failed: &PaymentFailed, now: OffsetDateTime) -> Change {
        if self.status != Status::AwaitingPayment || self.payment_id != Some(failed.payment_id) {
            return Change::None;
        }
        self.reason = Some(failed.code.clone());
        self.close(Status::PaymentFailed, ClosedAs::PaymentFailed, now)
    }

    /// Some of its money went back. The totals come in any order: the largest is the latest.
    pub(crate) fn payment_refunded(&mut self, refunded_total: i64, now: OffsetDateTime) -> Change {
        let refunded_total = refunded_total.min(self.total.amount());
        if refunded_total <= self.amount_refunded {
            return Change::None;
        }
        self.amount_refunded = refunded_total;
        self.change(now);
        Change::Silent
    }

    /// Calls it off; what is paid is given back.
    pub(crate) fn cancel(&mut self, now: OffsetDateTime) -> Result<Change, NotAllowed> {
        match self.status {
            Status::Pending | Status::AwaitingPayment | Status::Paid => {
                self.reason = Some("cancelled_by_request".to_owned());
                Ok(self.close(Status::Cancelled, ClosedAs::Cancelled, now))
            }
            // Asked for twice, done once.
            Status::Cancelled => Ok(Change::None),
            Status::Fulfilled | Status::Rejected | Status::Expired | Status::PaymentFailed => {
                Err(NotAllowed { status: self.status, wanted: "cancelled" })
            }
        }
    }

    /// It has been sent.
    pub(crate) fn fulfil(&mut self, now: OffsetDateTime) -> Result<Change, NotAllowed> {
        match self.status {
            Status::Paid => {
                self.become_status(Status::Fulfilled, now);
                Ok(Change::Publish(Event::OrderFulfilled(OrderFulfilled { order_id: self.id })))
            }
            Status::Fulfilled => Ok(Change::None),
            status => Err(NotAllowed { status, wanted: "fulfilled" }),
        }
    }

    /// Nobody paid in time.
    pub(crate) fn expire(&mut self, overdue: Overdue, now: OffsetDateTime) -> Change {
        if !overdue.includes(self.status, self.pay_by) {
            return Change::None;
        }
        self.reason = Some("not_paid_in_time".to_owned());
        self.close(Status::Expired, ClosedAs::Expired, now)
    }

    /// Ends it without a sale, and publishes that for those who hold something for it.
    fn close(&mut self, status: Status, outcome: ClosedAs, now: OffsetDateTime) -> Change {
        self.become_status(status, now);
        Change::Publish(self.closed(outcome))
    }

    fn become_status(&mut self, status: Status, now: OffsetDateTime) {
        self.status = status;
        self.change(now);
    }

    fn change(&mut self, now: OffsetDateTime) {
        self.version += 1;
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use ecommerce_types::{Clock, Money, OrderId, ProductId, Quantity, UserId};
    use time::Duration;

    use super::*;
    use crate::domain::Line;

    /// An order of 25.00 € that stands there.
    fn order(status: Status) -> Order {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let unit_price = Money::new(1250, "EUR".parse().unwrap()).unwrap();
        let line = Line {
            product_id: ProductId::new(&clock),
            sku: "MUG-1".to_owned(),
            name: "Mug".to_owned(),
            quantity: Quantity::new(2).unwrap(),
            unit_price,
        };
        Order {
            id: OrderId::new(&clock),
            customer_id: UserId::new(&clock),
            status,
            version: 1,
            lines: vec![line],
            total: unit_price.plus(unit_price).unwrap(),
            payment_method: None,
            payment_id: (status != Status::Pending).then(|| PaymentId::new(&clock)),
            pay_by: clock.now() + Duration::minutes(15),
            amount_refunded: 0,
            reason: None,
            metadata: crate::domain::Metadata::default(),
            created_at: clock.now(),
            updated_at: clock.now(),
        }
    }

    /// What an order becomes that stands anywhere, by one thing that happens to it.
    fn outcomes(happens: impl Fn(&mut Order)) -> Vec<(Status, Status)> {
        Status::ALL
            .into_iter()
            .map(|before| {
                let mut order = order(before);
                happens(&mut order);
                (before, order.status)
            })
            .filter(|(before, after)| before != after)
            .collect()
    }

    /// Its payment's word that no money comes.
    fn failed(order: &Order) -> ecommerce_contract::events::PaymentFailed {
        let payment_id = order.payment_id.unwrap_or_else(|| PaymentId::new(&Clock::system()));
        ecommerce_contract::events::PaymentFailed { order_id: order.id, payment_id, code: "declined".to_owned() }
    }

    /// The clock comes by so long after the order's deadline.
    fn expire(order: &mut Order, seconds: i64) -> Change {
        let now = order.pay_by + Duration::seconds(seconds);
        order.expire(Overdue { pending: now, awaiting_payment: now }, now)
    }

    #[test]
    fn each_thing_that_happens_moves_only_the_orders_it_may() {
        use Status::{AwaitingPayment, Cancelled, Expired, Fulfilled, Paid, PaymentFailed, Pending, Rejected};
        let clock = Clock::system();
        let now = clock.now();
        let payment_id = PaymentId::new(&clock);
        assert_eq!(outcomes(|order| drop(order.stock_reserved(payment_id, now))), [(Pending, AwaitingPayment)]);
        assert_eq!(outcomes(|order| drop(order.stock_rejected(now))), [(Pending, Rejected)]);
        let capture = |order: &mut Order| {
            let payment_id = order.payment_id.unwrap_or(payment_id);
            drop(order.payment_captured(&PaymentCaptured { order_id: order.id, payment_id, amount: 2500 }, now));
        };
        assert_eq!(outcomes(capture), [(AwaitingPayment, Paid)]);
        let fail = |order: &mut Order| drop(order.payment_failed(&failed(order), now));
        assert_eq!(outcomes(fail), [(AwaitingPayment, PaymentFailed)]);
        assert_eq!(outcomes(|order| drop(order.payment_refunded(1, now))), []);
        let cancelled = [(Pending, Cancelled), (AwaitingPayment, Cancelled), (Paid, Cancelled)];
        assert_eq!(outcomes(|order| drop(order.cancel(now))), cancelled);
        assert_eq!(outcomes(|order| drop(order.fulfil(now))), [(Paid, Fulfilled)]);
        assert_eq!(outcomes(|order| drop(expire(order, 1))), [(Pending, Expired), (AwaitingPayment, Expired)]);
        assert_eq!(outcomes(|order| drop(expire(order, -1))), []);
    }

    #[test]
    fn every_end_without_a_sale_is_told_to_those_who_hold_something() {
        for (happens, outcome) in [
            ((|order| order.cancel(order.created_at).unwrap()) as fn(&mut Order) -> Change, ClosedAs::Cancelled),
            (|order| expire(order, 1), ClosedAs::Expired),
            (|order| order.payment_failed(&failed(order), order.created_at), ClosedAs::PaymentFailed),
        ] {
            let mut order = order(Status::AwaitingPayment);
            let event = happens(&mut order);
            let (payment_id, pay_by) = (order.payment_id, order.pay_by);
            let closed = OrderClosed { order_id: order.id, outcome, payment_id, pay_by };
            assert_eq!(event, Change::Publish(Event::OrderClosed(closed)));
        }
    }

    #[test]
    fn what_is_told_again_of_an_order_is_what_was_told_of_its_end() {
        for (happens, status) in [
            ((|order| order.cancel(order.created_at).unwrap()) as fn(&mut Order) -> Change, Status::Paid),
            (|order| expire(order, 1), Status::AwaitingPayment),
            (|order| order.payment_failed(&failed(order), order.created_at), Status::AwaitingPayment),
            (|order| order.fulfil(order.created_at).unwrap(), Status::Paid),
        ] {
            let mut order = order(status);
            let Change::Publish(told) = happens(&mut order) else { panic!("it is told") };
            assert_eq!(order.told_last(), Some(told));
        }
        assert!(matches!(order(Status::Paid).told_last(), Some(Event::OrderPaid(_))));
        assert_eq!(order(Status::AwaitingPayment).told_last(), None);
    }

    #[test]
    fn the_money_of_another_payment_and_another_sum_pay_nothing() {
        let mut order = order(Status::AwaitingPayment);
        let own = order.payment_id.unwrap();
        for (payment_id, amount) in [(PaymentId::new(&Clock::system()), 2500), (own, 2499), (own, 2501)] {
            let captured = PaymentCaptured { order_id: order.id, payment_id, amount };
            assert_eq!(order.payment_captured(&captured, order.created_at), Change::None);
        }
    }

    #[test]
    fn refunds_never_shrink_and_never_pass_the_total() {
        let mut order = order(Status::Paid);
        for (heard, shown) in [(1000, 1000), (500, 1000), (9999, 2500)] {
            order.payment_refunded(heard, order.created_at);
            assert_eq!(order.amount_refunded, shown);
        }
    }
}
