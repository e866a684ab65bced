//! What other services' events do here: orders take stock, buy it, and give it back.
//!
//! A batch is one transaction of two statements: lock its orders and their stocks, decide in memory
//! ([`crate::domain::reservation`]), write what changed and the answers. A hot product costs one commit a batch and not one an
//! order; within a batch, who came first is served first. To handle another event: its binding in the contract, its column in the table of the domain.

use std::collections::BTreeSet;

use ecommerce_contract::{Envelope, Event};
use ecommerce_courier::{Failure, Handle};
use ecommerce_types::{Clock, ProductId};
use parking_lot::Mutex;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::domain::reservation::Contradiction;
use crate::domain::{Moment, ReservationBatch};
use crate::store::reservations::{self, Known, WriteError};

/// Handles the events of queue `product`.
#[derive(Debug)]
pub(crate) struct Reservations {
    clock: Clock,
    catalogue: Catalogue,
    /// Whose stock has moved since the catalogue was last told; also by a commit of which nobody was told.
    moved: Mutex<Vec<ProductId>>,
}

impl Reservations {
    /// Tells the catalogue whose stock has moved.
    #[must_use]
    pub(crate) fn new(clock: Clock, catalogue: Catalogue) -> Self {
        Self { clock, catalogue, moved: Mutex::default() }
    }
}

impl Handle for Reservations {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        loop {
            let handle = async |transaction: &mut PgConnection| self.handle_once(transaction, events).await;
            match ecommerce_postgres::transaction(connection, handle).await {
                Err(HandleError::Write(WriteError::Overtaken)) => {}
                Err(HandleError::Write(WriteError::Database(error))) => return Err(error.into()),
                Err(HandleError::Contradiction(error)) => return Err(Failure::Dead(error.to_string())),
                Ok(answers) => return Ok(answers),
            }
        }
    }

    /// Before order is told, so that a customer who sees the order's new state hardly ever sees the product's old stock; while
    /// Redis is slow or away, no message waits for it.
    fn committed(&self) {
        let moved = std::mem::take(&mut *self.moved.lock());
        if !moved.is_empty() {
            let catalogue = self.catalogue.clone();
            tokio::spawn(async move { catalogue.changed(moved).await });
        }
    }
}

/// Why a batch has no effect.
#[derive(Debug, thiserror::Error)]
enum HandleError {
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<sqlx::Error> for HandleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Write(error.into())
    }
}

impl Reservations {
    async fn handle_once(
        &self,
        transaction: &mut PgConnection,
        events: &[Envelope],
    ) -> Result<Vec<Envelope>, HandleError> {
        let Known { orders, stocks, let_go } =
            reservations::lock(transaction, &orders_of(events), &products_of(events)).await?;
        let moment = Moment { now: self.clock.now(), let_go };
        let mut batch = ReservationBatch::new(moment, orders, stocks);
        let mut answers = Vec::new();
        for envelope in events {
            if let Event::OrderPlaced(placed) = &envelope.event
                && placed.pay_by <= moment.now
            {
                tracing::info!(order.id = %placed.order_id, "heard of an order after its payment deadline; nothing is set aside");
            }
            let answer = batch.apply(&envelope.event)?;
            answers.extend(answer.map(|event| Envelope::new(&self.clock, envelope.request_id.clone(), event)));
        }
        let changes = batch.into_changes();
        reservations::write(transaction, &changes, &answers).await?;
        self.moved.lock().extend(changes.moved.into_keys());
        Ok(answers)
    }
}

fn orders_of(events: &[Envelope]) -> Vec<Uuid> {
    let orders: BTreeSet<Uuid> = events.iter().map(|envelope| envelope.event.order_id().0).collect();
    orders.into_iter().collect()
}

/// What the events want to be set aside, each product once.
fn products_of(events: &[Envelope]) -> Vec<Uuid> {
    let placed = events.iter().filter_map(|envelope| match &envelope.event {
        Event::OrderPlaced(placed) => Some(placed.lines.iter().map(|line| line.product_id.0)),
        _ => None,
    });
    placed.flatten().collect::<BTreeSet<Uuid>>().into_iter().collect()
}
