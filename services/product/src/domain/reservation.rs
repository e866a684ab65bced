//! What an order's events do to the stock, in whatever order they come and however often.
//!
//! | so far       | `order.placed`                             | `order.paid`                  | `order.closed`          |
//! | ------------ | ------------------------------------------ | ----------------------------- | ----------------------- |
//! | nothing      | all lines there: set aside, `reserved`; else none, `rejected` | contradiction | `closed`, a tombstone   |
//! | `reserved`   | nothing                                    | pieces leave: `sold`          | given back: `closed`    |
//! | `rejected`   | nothing                                    | contradiction                 | `closed`                |
//! | `sold`       | nothing                                    | nothing                       | taken back: `closed`    |
//! | `closed`     | nothing, and order is told nothing         | nothing                       | nothing                 |
//!
//! The pairs, one by one:
//! - placed, closed: set aside and given back. Closed, placed: the tombstone; nothing moves. Either way the stock is as before.
//! - placed, paid, closed (a paid order is called off): sold and taken back. Placed, closed, paid: given back, and the late
//!   `paid` finds nothing to sell. Either way the stock is as before, because `paid` and `closed` of one order may overtake
//!   each other but both have happened.
//! - paid before placed cannot be: order says `paid` after it has read `stock.reserved`, which is written with the
//!   reservation. Where it comes all the same (a database put back to an earlier day), no answer is right: the message goes
//!   to the dead letters, for a person. The same holds for the payment of a rejected order.
//! - each with itself: the second finds the state that the first has left, and does nothing.

use std::collections::BTreeMap;

use ecommerce_contract::Event;
use ecommerce_contract::events::{OrderPlaced, StockRejected, StockReserved};
use ecommerce_types::{Invalid, OrderId, ProductId};

use super::Stock;

#[cfg(test)]
mod tests;

/// What product knows of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing yet.
    #[default]
    Unknown,
    /// All its lines are set aside.
    Reserved,
    /// None of its lines is, and order has been answered.
    Rejected,
    /// It is paid, and its pieces are no longer here.
    Sold,
    /// It has ended, and whatever it held was given back.
    Closed,
}

impl State {
    /// The state's name in the database.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Reserved => "reserved",
            Self::Rejected => "rejected",
            Self::Sold => "sold",
            Self::Closed => "closed",
        }
    }

    /// Whether the order's lines are written down.
    #[must_use]
    pub(crate) fn has_lines(self) -> bool {
        matches!(self, Self::Reserved | Self::Sold)
    }
}

impl std::str::FromStr for State {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = [Self::Unknown, Self::Reserved, Self::Rejected, Self::Sold, Self::Closed];
        let state = known.into_iter().find(|state| state.as_str() == text);
        state.ok_or(Invalid("a reservation is unknown, reserved, rejected, sold or closed"))
    }
}

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

/// The orders and the stocks that a batch of events is about. Whoever fills it holds locks on all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReservationBatch {
    orders: BTreeMap<OrderId, Reservation>,
    stocks: BTreeMap<ProductId, StockOfProduct>,
    changes: Changes,
}

/// What a batch has changed, to be written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// By how much each product's stock has moved; those that stand as before are not here.
    pub(crate) moved: BTreeMap<ProductId, Move>,
    /// Orders that were heard of for the first time, with what was set aside for them.
    pub(crate) new: BTreeMap<OrderId, Reservation>,
    /// Where the others stand now, those that moved.
    pub(crate) changed: BTreeMap<OrderId, State>,
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
    pub(crate) fn new(orders: BTreeMap<OrderId, Reservation>, stocks: BTreeMap<ProductId, StockOfProduct>) -> Self {
        Self { orders, stocks, changes: Changes::default() }
    }

    /// Does what an event says, after all that came before it, and gives what is to be published for order.
    pub(crate) fn apply(&mut self, event: &Event) -> Result<Option<Event>, Contradiction> {
        match event {
            Event::OrderPlaced(placed) => Ok(self.place(placed)),
            Event::OrderPaid(paid) => self.pay(paid.order_id).map(|()| None),
            Event::OrderClosed(closed) => {
                self.close(closed.order_id);
                Ok(None)
            }
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
        let order_id = placed.order_id;
        if self.state(order_id) != State::Unknown {
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
            self.set(order_id, Reservation { state: State::Reserved, lines });
            Some(Event::StockReserved(StockReserved { order_id }))
        } else {
            self.set(order_id, Reservation { state: State::Rejected, lines: Lines::new() });
            Some(Event::StockRejected(StockRejected { order_id, lines: at_fault }))
        }
    }

    fn pay(&mut self, order_id: OrderId) -> Result<(), Contradiction> {
        match self.state(order_id) {
            State::Unknown | State::Rejected => Err(Contradiction::NothingReserved(order_id)),
            State::Sold | State::Closed => Ok(()),
            State::Reserved => {
                let lines = self.lines(order_id);
                self.shift(&lines, Stock::sell);
                self.set(order_id, Reservation { state: State::Sold, lines });
                Ok(())
            }
        }
    }

    fn close(&mut self, order_id: OrderId) {
        let lines = self.lines(order_id);
        match self.state(order_id) {
            State::Closed => return,
            State::Unknown | State::Rejected => {}
            State::Reserved => self.shift(&lines, Stock::release),
            State::Sold => self.shift(&lines, Stock::take_back),
        }
        self.set(order_id, Reservation { state: State::Closed, lines: Lines::new() });
    }

    fn lines(&self, order_id: OrderId) -> Lines {
        self.orders.get(&order_id).map(|order| order.lines.clone()).unwrap_or_default()
    }

    fn set(&mut self, order_id: OrderId, reservation: Reservation) {
        if let Some(new) = self.changes.new.get_mut(&order_id) {
            new.state = reservation.state;
        } else if self.orders.contains_key(&order_id) {
            self.changes.changed.insert(order_id, reservation.state);
        } else {
            self.changes.new.insert(order_id, reservation.clone());
        }
        self.orders.insert(order_id, reservation);
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
