//! What an order's events do to the stock, in whatever order they come and however often.
//!
//! | so far       | `order.placed`                             | `order.paid`        | `order.closed`          | `order.fulfilled`   |
//! | ------------ | ------------------------------------------ | ------------------- | ----------------------- | ------------------- |
//! | nothing      | all lines there: set aside, `reserved`; else none, `rejected`; too late: nothing | contradiction | `closed`, a tombstone; too late: nothing | contradiction |
//! | let go       | too late: nothing                          | nothing             | too late: nothing       | nothing             |
//! | `reserved`   | nothing                                    | pieces leave: `sold` | given back: `closed`   | pieces leave: `fulfilled` |
//! | `rejected`   | nothing                                    | contradiction       | `closed`                | contradiction       |
//! | `sold`       | nothing                                    | nothing             | taken back: `closed`    | `fulfilled`         |
//! | `closed`     | nothing, and order is told nothing         | nothing             | nothing                 | nothing             |
//! | `fulfilled`  | nothing                                    | nothing             | nothing                 | nothing             |
//!
//! The pairs, one by one:
//! - placed, closed: set aside and given back. Closed, placed: the tombstone; nothing moves. Either way the stock is as before.
//! - placed, paid, closed (a paid order is called off): sold and taken back. Placed, closed, paid: given back, and the late
//!   `paid` finds nothing to sell. Either way the stock is as before, because `paid` and `closed` of one order may overtake
//!   each other but both have happened.
//! - paid, fulfilled: sold, and that is final. Fulfilled, paid: what is sent was sold, and the late `paid` finds it so. No order is
//!   both fulfilled and closed.
//! - paid before placed cannot be: order says `paid` after it has read `stock.reserved`, which is written with the
//!   reservation. Where it comes all the same (a database put back to an earlier day), no answer is right: the message goes
//!   to the dead letters, for a person. The same holds for the payment of a rejected order.
//! - each with itself: the second finds the state that the first has left, and does nothing.
//!
//! Time ends it. *Too late* is after the order's payment deadline: what is placed then is left alone, for it expires by order's clock,
//! and order is told nothing. So an order that has ended needs to be known only until then, and is *let go* a day later ([`KEPT`]); from
//! then on whatever comes again finds nothing and does nothing. Which have been let go is known by their ids, up to a largest one.

use std::collections::BTreeMap;

use ecommerce_contract::Event;
use ecommerce_contract::events::{OrderClosed, OrderPlaced, StockRejected, StockReserved};
use ecommerce_types::{OrderId, ProductId};
use time::{Duration, OffsetDateTime};

use super::Stock;

mod state;
#[cfg(test)]
mod tests;

pub(crate) use state::State;

/// How long after its payment deadline an order that has ended is known, for whoever asks what became of it.
pub(crate) const KEPT: Duration = Duration::days(1);
/// By how much less the clocks of two processes differ. A tombstone stands for so much longer than anybody could set something aside.
pub(crate) const CLOCKS_DIFFER: Duration = Duration::minutes(1);

/// What one order holds: pieces by product.
pub(crate) type Lines = BTreeMap<ProductId, i64>;

/// An order as product knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reservation {
    /// How far it is.
    pub(crate) state: State,
    /// What it holds or has bought; empty in the other states.
    pub(crate) lines: Lines,
}

/// A product's place in the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StockOfProduct {
    pub(crate) stock: Stock,
    /// Whether it is still sold; what is archived is set aside for nobody new.
    pub(crate) for_sale: bool,
}

/// An event that contradicts what has happened here: there is no right answer to it, and a person has to look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Contradiction {
    /// The payment of an order whose stock was never set aside.
    #[error("order {0} is paid, but its stock was never reserved here")]
    NothingReserved(OrderId),
    /// No binding brings this event here.
    #[error("{0} is not for product")]
    NotForProduct(&'static str),
}

/// When a batch is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// The present time.
    pub(crate) now: OffsetDateTime,
    /// The largest id of the orders that have been let go.
    pub(crate) let_go: OrderId,
}

/// The orders and the stocks that a batch of events is about. Whoever fills it holds locks on all of them.
#[derive(Debug, Clone)]
pub(crate) struct ReservationBatch {
    moment: Moment,
    orders: BTreeMap<OrderId, Reservation>,
    stocks: BTreeMap<ProductId, StockOfProduct>,
    changes: Changes,
}

/// What a batch has changed, to be written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// By how much each product's stock has moved; those that stand as before are not here.
    pub(crate) moved: BTreeMap<ProductId, Move>,
    /// Orders that were heard of for the first time.
    pub(crate) new: BTreeMap<OrderId, Heard>,
    /// Where the others stand now, those that moved.
    pub(crate) changed: BTreeMap<OrderId, State>,
}

/// An order that was heard of for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Where it stands, with what was set aside for it.
    pub(crate) reservation: Reservation,
    /// Its payment deadline.
    pub(crate) pay_by: OffsetDateTime,
}

/// By how many pieces a stock has moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Move {
    /// Pieces that came (positive) or left (negative).
    pub(crate) on_hand: i64,
    /// Pieces that were set aside (positive) or no longer are (negative).
    pub(crate) reserved: i64,
}

impl ReservationBatch {
    /// A batch of these orders and stocks.
    #[must_use]
    pub(crate) fn new(
        moment: Moment,
        orders: BTreeMap<OrderId, Reservation>,
        stocks: BTreeMap<ProductId, StockOfProduct>,
    ) -> Self {
        Self { moment, orders, stocks, changes: Changes::default() }
    }

    /// Does what an event says, after all that came before it, and gives what is to be published for order.
    pub(crate) fn apply(&mut self, event: &Event) -> Result<Option<Event>, Contradiction> {
        match event {
            Event::OrderPlaced(placed) => Ok(self.place(placed)),
            Event::OrderPaid(paid) => self.pay(paid.order_id).map(|()| None),
            Event::OrderClosed(closed) => {
                self.close(closed);
                Ok(None)
            }
            Event::OrderFulfilled(fulfilled) => self.fulfil(fulfilled.order_id).map(|()| None),
            Event::PaymentRequested(_)
            | Event::StockReserved(_)
            | Event::StockRejected(_)
            | Event::PaymentCaptured(_)
            | Event::PaymentFailed(_)
            | Event::PaymentRefunded(_) => Err(Contradiction::NotForProduct(event.routing_key())),
        }
    }

    /// What is to be written down.
    #[must_use]
    pub(crate) fn into_changes(mut self) -> Changes {
        self.changes.moved.retain(|_, moved| *moved != Move::default());
        self.changes
    }

    fn state(&self, order_id: OrderId) -> State {
        self.orders.get(&order_id).map(|order| order.state).unwrap_or_default()
    }

    fn place(&mut self, placed: &OrderPlaced) -> Option<Event> {
        let OrderPlaced { order_id, pay_by, .. } = *placed;
        if self.state(order_id) != State::Unknown || pay_by <= self.moment.now {
            return None;
        }
        let mut lines = Lines::new();
        for line in &placed.lines {
            *lines.entry(line.product_id).or_default() += i64::from(line.quantity.get());
        }
        let lacking = |product_id: &ProductId| {
            let offered = self.stocks.get(product_id).filter(|at| at.for_sale);
            offered.is_none_or(|at| at.stock.reserve(lines[product_id]).is_none())
        };
        let at_fault: Vec<_> = placed.lines.iter().filter(|line| lacking(&line.product_id)).copied().collect();
        if at_fault.is_empty() {
            self.shift(&lines, |stock, quantity| stock.reserve(quantity).unwrap_or(stock));
            self.hear(order_id, pay_by, Reservation { state: State::Reserved, lines });
            Some(Event::StockReserved(StockReserved { order_id }))
        } else {
            self.hear(order_id, pay_by, Reservation { state: State::Rejected, lines: Lines::new() });
            Some(Event::StockRejected(StockRejected { order_id, lines: at_fault }))
        }
    }

    fn pay(&mut self, order_id: OrderId) -> Result<(), Contradiction> {
        match self.state(order_id) {
            State::Unknown if order_id <= self.moment.let_go => {}
            State::Unknown | State::Rejected => return Err(Contradiction::NothingReserved(order_id)),
            State::Sold | State::Closed | State::Fulfilled => {}
            State::Reserved => {
                self.shift(&self.lines(order_id), Stock::sell);
                self.become_state(order_id, State::Sold);
            }
        }
        Ok(())
    }

    fn fulfil(&mut self, order_id: OrderId) -> Result<(), Contradiction> {
        self.pay(order_id)?;
        if self.state(order_id) == State::Sold {
            self.become_state(order_id, State::Fulfilled);
        }
        Ok(())
    }

    fn close(&mut self, closed: &OrderClosed) {
        let OrderClosed { order_id, pay_by, .. } = *closed;
        match self.state(order_id) {
            State::Closed | State::Fulfilled => return,
            State::Unknown => {
                if self.moment.now < pay_by + CLOCKS_DIFFER {
                    self.hear(order_id, pay_by, Reservation { state: State::Closed, lines: Lines::new() });
                }
                return;
            }
            State::Rejected => {}
            State::Reserved => self.shift(&self.lines(order_id), Stock::release),
            State::Sold => self.shift(&self.lines(order_id), Stock::take_back),
        }
        self.become_state(order_id, State::Closed);
    }

    fn lines(&self, order_id: OrderId) -> Lines {
        self.orders.get(&order_id).map(|order| order.lines.clone()).unwrap_or_default()
    }

    fn hear(&mut self, order_id: OrderId, pay_by: OffsetDateTime, reservation: Reservation) {
        self.orders.insert(order_id, reservation.clone());
        self.changes.new.insert(order_id, Heard { reservation, pay_by });
    }

    fn become_state(&mut self, order_id: OrderId, state: State) {
        if let Some(order) = self.orders.get_mut(&order_id) {
            order.state = state;
        }
        // What was set aside stays written down, also when it was given back.
        match self.changes.new.get_mut(&order_id) {
            Some(new) => new.reservation.state = state,
            None => {
                self.changes.changed.insert(order_id, state);
            }
        }
    }

    fn shift(&mut self, lines: &Lines, change: impl Fn(Stock, i64) -> Stock) {
        for (product_id, quantity) in lines {
            let Some(at) = self.stocks.get_mut(product_id) else { continue };
            let before = at.stock;
            at.stock = change(before, *quantity);
            let moved = self.changes.moved.entry(*product_id).or_default();
            moved.on_hand += at.stock.on_hand - before.on_hand;
            moved.reserved += at.stock.reserved - before.reserved;
        }
    }
}
