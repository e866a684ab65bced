use std::collections::BTreeSet;

use ecommerce_contract::events::{ClosedAs, OrderClosed, OrderFulfilled, OrderLine, OrderPaid};
use ecommerce_types::{Clock, Quantity};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

mod retention;

/// When all orders of these tests are to be paid by, unless they say so.
fn pay_by() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(30_000)
}

fn placed(order_id: OrderId, lines: &[(ProductId, i64)]) -> Event {
    placed_until(pay_by(), order_id, lines)
}

fn placed_until(pay_by: OffsetDateTime, order_id: OrderId, lines: &[(ProductId, i64)]) -> Event {
    let line = |(product_id, quantity): &(ProductId, i64)| OrderLine {
        product_id: *product_id,
        quantity: Quantity::new(*quantity).unwrap(),
    };
    Event::OrderPlaced(OrderPlaced { order_id, lines: lines.iter().map(line).collect(), pay_by })
}

fn paid(order_id: OrderId) -> Event {
    Event::OrderPaid(OrderPaid { order_id })
}

fn closed(order_id: OrderId) -> Event {
    closed_until(pay_by(), order_id)
}

fn closed_until(pay_by: OffsetDateTime, order_id: OrderId) -> Event {
    Event::OrderClosed(OrderClosed { order_id, outcome: ClosedAs::Cancelled, payment_id: None, pay_by })
}

fn fulfilled(order_id: OrderId) -> Event {
    Event::OrderFulfilled(OrderFulfilled { order_id })
}

fn reserved(order_id: OrderId) -> Event {
    Event::StockReserved(StockReserved { order_id })
}

/// The tables, as far as a batch reads and writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tables {
    now: OffsetDateTime,
    let_go: OrderId,
    orders: BTreeMap<OrderId, State>,
    lines: BTreeMap<OrderId, Lines>,
    deadlines: BTreeMap<OrderId, OffsetDateTime>,
    stocks: BTreeMap<ProductId, StockOfProduct>,
}

impl Tables {
    fn with(products: &[(ProductId, i64)]) -> Self {
        let stock_of_product = |on_hand| StockOfProduct { stock: Stock { on_hand, reserved: 0 }, for_sale: true };
        Self {
            stocks: products.iter().map(|(id, on_hand)| (*id, stock_of_product(*on_hand))).collect(),
            now: pay_by() - Duration::minutes(15),
            let_go: OrderId(uuid::Uuid::nil()),
            orders: BTreeMap::new(),
            lines: BTreeMap::new(),
            deadlines: BTreeMap::new(),
        }
    }

    /// What [`crate::store::reservations::let_go`] does.
    fn let_go(&mut self) {
        let ended = |state: &State| matches!(state, State::Rejected | State::Closed | State::Fulfilled);
        let gone = |id: &OrderId| ended(&self.orders[id]) && self.deadlines[id] < self.now - KEPT;
        for id in self.orders.keys().copied().filter(gone).collect::<Vec<_>>() {
            self.orders.remove(&id);
            self.let_go = self.let_go.max(id);
        }
    }

    /// One batch, as the consumer does it.
    fn handle(&mut self, events: &[Event]) -> Result<Vec<Event>, Contradiction> {
        let known = |event: &Event| {
            let state = *self.orders.get(&event.order_id())?;
            let lines = if state.has_lines() { self.lines[&event.order_id()].clone() } else { Lines::new() };
            Some((event.order_id(), Reservation { state, lines }))
        };
        let moment = Moment { now: self.now, let_go: self.let_go };
        let mut batch = ReservationBatch::new(moment, events.iter().filter_map(known).collect(), self.stocks.clone());
        let mut answers = Vec::new();
        for event in events {
            answers.extend(batch.apply(event)?);
        }
        let changes = batch.into_changes();
        for (id, moved) in changes.moved {
            let stock = &mut self.stocks.get_mut(&id).unwrap().stock;
            stock.on_hand += moved.on_hand;
            stock.reserved += moved.reserved;
        }
        for (id, Heard { reservation, pay_by }) in changes.new {
            assert_eq!(self.orders.insert(id, reservation.state), None, "a row is made once");
            self.lines.insert(id, reservation.lines);
            self.deadlines.insert(id, pay_by);
        }
        for (id, state) in changes.changed {
            self.orders.insert(id, state).expect("a row that changes is there");
        }
        Ok(answers)
    }

    fn stock(&self, id: ProductId) -> (i64, i64) {
        (self.stocks[&id].stock.on_hand, self.stocks[&id].stock.reserved)
    }

    /// What is reserved is what reserved orders hold, and what is gone is what sold orders have.
    fn assert_sound(&self, at_first: &Self) {
        for (id, stock_of_product) in &self.stocks {
            let held_by = |state| -> i64 {
                let orders = self.orders.iter().filter(|(_, its)| **its == state);
                orders.filter_map(|(order_id, _)| self.lines[order_id].get(id)).sum()
            };
            assert!(
                (0..=stock_of_product.stock.on_hand).contains(&stock_of_product.stock.reserved),
                "{stock_of_product:?}"
            );
            assert_eq!(stock_of_product.stock.reserved, held_by(State::Reserved));
            let sold = held_by(State::Sold) + held_by(State::Fulfilled);
            assert_eq!(stock_of_product.stock.on_hand, at_first.stocks[id].stock.on_hand - sold);
        }
    }
}

fn ids() -> (Clock, OrderId, ProductId, ProductId) {
    let clock = Clock::system();
    let (order, one, another) = (OrderId::new(&clock), ProductId::new(&clock), ProductId::new(&clock));
    (clock, order, one, another)
}

#[test]
fn an_order_takes_all_its_lines_or_none() {
    let (clock, order, mug, bowl) = ids();
    let mut tables = Tables::with(&[(mug, 5), (bowl, 1)]);
    let unknown = ProductId::new(&clock);
    let answers = tables.handle(&[placed(order, &[(mug, 2), (bowl, 2), (unknown, 1)])]).unwrap();
    let [Event::StockRejected(rejected)] = answers.as_slice() else { panic!("{answers:?}") };
    let at_fault: Vec<_> = rejected.lines.iter().map(|line| (line.product_id, line.quantity.get())).collect();
    assert_eq!(at_fault, [(bowl, 2), (unknown, 1)]);
    assert_eq!((tables.stock(mug), tables.stock(bowl)), ((5, 0), (1, 0)));

    let order = OrderId::new(&clock);
    assert_eq!(tables.handle(&[placed(order, &[(mug, 5), (bowl, 1)])]).unwrap(), [reserved(order)]);
    assert_eq!((tables.stock(mug), tables.stock(bowl)), ((5, 5), (1, 1)));
}

#[test]
fn within_a_batch_who_came_first_is_served_first() {
    let (clock, first, mug, _) = ids();
    let (second, third) = (OrderId::new(&clock), OrderId::new(&clock));
    let mut tables = Tables::with(&[(mug, 3)]);
    let batch = [placed(first, &[(mug, 2)]), placed(second, &[(mug, 2)]), placed(third, &[(mug, 1)])];
    tables.handle(&batch).unwrap();
    let states = [first, second, third].map(|order_id| tables.orders[&order_id]);
    assert_eq!(states, [State::Reserved, State::Rejected, State::Reserved]);
}

#[test]
fn what_is_given_back_within_a_batch_serves_who_comes_after() {
    let (clock, first, mug, _) = ids();
    let second = OrderId::new(&clock);
    let mut tables = Tables::with(&[(mug, 2)]);
    tables.handle(&[placed(first, &[(mug, 2)]), closed(first), placed(second, &[(mug, 2)])]).unwrap();
    assert_eq!((tables.orders[&first], tables.orders[&second]), (State::Closed, State::Reserved));
    assert_eq!(tables.stock(mug), (2, 2));
}

#[test]
fn what_is_archived_is_set_aside_for_nobody_new_and_can_still_be_given_back() {
    let (clock, order, mug, _) = ids();
    let mut tables = Tables::with(&[(mug, 2)]);
    tables.handle(&[placed(order, &[(mug, 1)])]).unwrap();
    tables.stocks.get_mut(&mug).unwrap().for_sale = false;
    let late = OrderId::new(&clock);
    tables.handle(&[placed(late, &[(mug, 1)]), closed(order)]).unwrap();
    assert_eq!((tables.orders[&late], tables.stock(mug)), (State::Rejected, (2, 0)));
}

#[test]
fn a_product_that_stands_on_two_lines_needs_the_pieces_of_both() {
    let (_, order, mug, _) = ids();
    let mut tables = Tables::with(&[(mug, 3)]);
    tables.handle(&[placed(order, &[(mug, 2), (mug, 2)])]).unwrap();
    assert_eq!((tables.orders[&order], tables.stock(mug)), (State::Rejected, (3, 0)));
}

/// Every row and column of the table at the head of the module: what was heard, what comes, what stands then.
#[test]
fn the_table_holds() {
    let (_, order, mug, _) = ids();
    let placed = placed(order, &[(mug, 2)]);
    let too_much = self::placed(order, &[(mug, 9)]);
    let (paid, closed, fulfilled) = (paid(order), closed(order), fulfilled(order));
    let none: Option<(State, (i64, i64))> = None;
    let cases = [
        (vec![], &placed, Some((State::Reserved, (5, 2)))),
        (vec![], &too_much, Some((State::Rejected, (5, 0)))),
        (vec![], &paid, none),
        (vec![], &closed, Some((State::Closed, (5, 0)))),
        (vec![&placed], &placed, Some((State::Reserved, (5, 2)))),
        (vec![&placed], &paid, Some((State::Sold, (3, 0)))),
        (vec![&placed], &closed, Some((State::Closed, (5, 0)))),
        (vec![&too_much], &placed, Some((State::Rejected, (5, 0)))),
        (vec![&too_much], &paid, none),
        (vec![&too_much], &closed, Some((State::Closed, (5, 0)))),
        (vec![&placed, &paid], &placed, Some((State::Sold, (3, 0)))),
        (vec![&placed, &paid], &paid, Some((State::Sold, (3, 0)))),
        (vec![&placed, &paid], &closed, Some((State::Closed, (5, 0)))),
        (vec![&closed], &placed, Some((State::Closed, (5, 0)))),
        (vec![&closed], &paid, Some((State::Closed, (5, 0)))),
        (vec![&closed], &closed, Some((State::Closed, (5, 0)))),
        (vec![&placed, &closed], &placed, Some((State::Closed, (5, 0)))),
        (vec![&placed, &closed], &paid, Some((State::Closed, (5, 0)))),
        (vec![&placed, &paid, &closed], &paid, Some((State::Closed, (5, 0)))),
        (vec![&placed, &paid, &closed], &closed, Some((State::Closed, (5, 0)))),
        (vec![], &fulfilled, none),
        (vec![&placed], &fulfilled, Some((State::Fulfilled, (3, 0)))),
        (vec![&too_much], &fulfilled, none),
        (vec![&placed, &paid], &fulfilled, Some((State::Fulfilled, (3, 0)))),
        (vec![&placed, &closed], &fulfilled, Some((State::Closed, (5, 0)))),
        (vec![&placed, &fulfilled], &placed, Some((State::Fulfilled, (3, 0)))),
        (vec![&placed, &fulfilled], &paid, Some((State::Fulfilled, (3, 0)))),
        (vec![&placed, &fulfilled], &closed, Some((State::Fulfilled, (3, 0)))),
        (vec![&placed, &fulfilled], &fulfilled, Some((State::Fulfilled, (3, 0)))),
    ];
    for (heard, comes, stands) in cases {
        let mut tables = Tables::with(&[(mug, 5)]);
        for event in &heard {
            tables.handle(&[(*event).clone()]).unwrap();
        }
        let answered = tables.handle(std::slice::from_ref(comes));
        match stands {
            None => assert_eq!(answered, Err(Contradiction::NothingReserved(order)), "{heard:?} {comes:?}"),
            Some(stands) => {
                assert_eq!((tables.orders[&order], tables.stock(mug)), stands, "{heard:?} {comes:?}");
                assert_eq!(answered.unwrap().len(), usize::from(heard.is_empty() && *comes != closed));
            }
        }
    }
}

/// Thousands of orders in every order that causality leaves open, repeated, in batches of any size.
#[test]
fn whatever_comes_in_whatever_order_no_piece_is_promised_twice_or_lost() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let clock = Clock::system();
        let products: Vec<_> = (0..4).map(|_| (ProductId::new(&clock), random.random_range(0..20))).collect();
        let at_first = Tables::with(&products);
        let (mut tables, mut one_by_one) = (at_first.clone(), at_first.clone());
        // What may come at any time; payments join once their order has its stock.
        let mut waiting = Vec::new();
        for _ in 0..40 {
            let order_id = OrderId::new(&clock);
            let mut lines = Vec::new();
            for (product_id, _) in &products {
                if random.random_bool(0.5) {
                    lines.push((*product_id, random.random_range(1..5)));
                }
            }
            waiting.push(placed(order_id, &lines));
            waiting.push(placed(order_id, &lines));
            if random.random_bool(0.4) {
                waiting.push(closed(order_id));
                waiting.push(closed(order_id));
            }
        }
        waiting.shuffle(&mut random);
        let mut published = BTreeSet::new();
        while !waiting.is_empty() {
            let rest = waiting.split_off(random.random_range(1..=waiting.len()));
            let batch = std::mem::replace(&mut waiting, rest);
            let answers = tables.handle(&batch).unwrap();
            for event in &batch {
                one_by_one.handle(std::slice::from_ref(event)).unwrap();
            }
            tables.assert_sound(&at_first);
            assert_eq!(tables, one_by_one, "a batch does what its events do one by one (seed {seed})");
            for answer in answers {
                assert!(published.insert(answer.order_id()), "order is answered once");
                if let Event::StockReserved(StockReserved { order_id }) = answer
                    && random.random_bool(0.7)
                {
                    waiting.extend([paid(order_id), paid(order_id)]);
                }
            }
            waiting.shuffle(&mut random);
        }
    }
}
