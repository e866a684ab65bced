//! What other services' events do here: orders take stock, buy it, and give it back.
//!
//! A batch is one transaction: lock its orders, lock its stocks, decide in memory ([`crate::domain::reservation`]), write
//! what changed, publish the answers. A hot product costs one commit a batch and not one an order; within a batch, who came first is
//! served first. To handle another event: its binding in the contract, its column in the table of the domain.

use std::collections::BTreeSet;

use ecommerce_contract::{Envelope, Event};
use ecommerce_rabbit::{Failure, Handle};
use ecommerce_types::{Clock, ProductId};
use parking_lot::Mutex;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::domain::reservation::Changes;
use crate::domain::{Reservation, ReservationBatch};
use crate::store::{reservations, stock};

/// Handles the events of queue `product`.
#[derive(Debug)]
pub(crate) struct Reservations {
    clock: Clock,
    catalogue: Catalogue,
    /// Whose stock the latest batch has moved. A consumer has one batch in hand at a time.
    moved: Mutex<Vec<ProductId>>,
}

impl Reservations {
    /// Tells the catalogue whose stock has moved.
    #[must_use]
    pub(crate) fn new(clock: Clock, catalogue: Catalogue) -> Self {
        Self { clock, catalogue, moved: Mutex::default() }
    }

    fn remember(&self, moved: Vec<ProductId>) -> Vec<ProductId> {
        std::mem::replace(&mut *self.moved.lock(), moved)
    }
}

impl Handle for Reservations {
    async fn handle(&self, transaction: &mut PgConnection, events: Vec<Envelope>) -> Result<(), Failure> {
        let order_ids: Vec<Uuid> = events.iter().map(|envelope| envelope.event.order_id().0).collect();
        let orders = reservations::lock(transaction, &order_ids).await?;
        let stocks = stock::lock_all(transaction, &products_of(&events, &orders)).await?;

        let mut batch = ReservationBatch::new(orders, stocks);
        let mut answers = Vec::new();
        for envelope in events {
            let answer = batch.apply(&envelope.event).map_err(|error| Failure::Dead(error.to_string()))?;
            answers.extend(answer.map(|event| Envelope::new(&self.clock, envelope.request_id, event)));
        }

        let Changes { moved, states, reserved } = batch.into_changes();
        stock::shift(transaction, &moved).await?;
        reservations::insert_lines(transaction, &reserved).await?;
        reservations::set_states(transaction, &states).await?;
        ecommerce_postgres::outbox::append(transaction, &answers).await?;
        self.remember(moved.into_keys().collect());
        Ok(())
    }

    /// Before order is told: a customer who sees the order's new state then sees the product's new stock, too.
    async fn committed(&self) {
        let moved = self.remember(Vec::new());
        self.catalogue.changed(moved).await;
    }
}

/// Every product that the events could move, each once.
fn products_of<'a>(
    events: &[Envelope],
    orders: impl IntoIterator<Item = (&'a ecommerce_types::OrderId, &'a Reservation)>,
) -> Vec<Uuid> {
    let placed = events.iter().filter_map(|envelope| match &envelope.event {
        Event::OrderPlaced(placed) => Some(placed.lines.iter().map(|line| line.product_id)),
        _ => None,
    });
    let held = orders.into_iter().flat_map(|(_, order)| order.lines.keys().copied());
    let all: BTreeSet<ProductId> = placed.flatten().chain(held).collect();
    all.into_iter().map(Uuid::from).collect()
}
