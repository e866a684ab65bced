//! What product and payment publish of an order.

use std::collections::{BTreeSet, HashMap};

use ecommerce_contract::{Envelope, Event};
use ecommerce_courier::{Failure, Handle, Hearing};
use ecommerce_types::{Clock, OrderId, PaymentId};
use sqlx::PgConnection;

use crate::domain::{Change, Order};
use crate::store::{self, Changes, WriteError};

/// Brings orders on.
#[derive(Debug)]
pub(crate) struct Orders {
    pub(crate) clock: Clock,
    /// What the clock of orders asks before it ends one that may be paid.
    pub(crate) hearing: Hearing,
}

impl Handle for Orders {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        let ids: BTreeSet<OrderId> = events.iter().map(|envelope| envelope.event.order_id()).collect();
        let ids: Vec<OrderId> = ids.into_iter().collect();
        loop {
            let changes = self.decide(store::find_all(connection, &ids).await?, events)?;
            match store::write(connection, &changes).await {
                Ok(()) => {
                    changes.steps.iter().for_each(|step| tracing::info!(order.id = %step.order_id, order.status = step.status.as_str(), "an order has changed"));
                    return Ok(changes.events);
                }
                Err(WriteError::Overtaken) => {}
                Err(WriteError::Database(error)) => return Err(error.into()),
            }
        }
    }

    fn hearing(&self) -> Option<&Hearing> {
        Some(&self.hearing)
    }
}

impl Orders {
    fn decide(&self, orders: Vec<Order>, events: &[Envelope]) -> Result<Changes, Failure> {
        let mut orders: HashMap<OrderId, Order> = orders.into_iter().map(|order| (order.id, order)).collect();
        let (mut changes, mut touched) = (Changes::default(), BTreeSet::new());
        for envelope in events {
            let id = envelope.event.order_id();
            let order = orders.get_mut(&id).ok_or_else(|| Failure::Dead(format!("there is no order {id}")))?;
            let change = self.apply(order, &envelope.event)?;
            if change != Change::None {
                touched.insert(id);
                changes.steps.push(order.latest_step(None));
            }
            if let Change::Publish(event) = change {
                changes.events.push(Envelope::new(&self.clock, envelope.request_id.clone(), event));
            }
        }
        changes.orders = touched.iter().filter_map(|id| orders.remove(id)).collect();
        Ok(changes)
    }

    fn apply(&self, order: &mut Order, event: &Event) -> Result<Change, Failure> {
        let now = self.clock.now();
        match event {
            Event::StockReserved(_) => Ok(order.stock_reserved(PaymentId::new(&self.clock), now)),
            Event::StockRejected(_) => Ok(order.stock_rejected(now)),
            Event::PaymentCaptured(captured) => Ok(order.payment_captured(captured, now)),
            Event::PaymentFailed(failed) => Ok(order.payment_failed(failed, now)),
            Event::PaymentRefunded(refunded) => Ok(order.payment_refunded(refunded.refunded_total, now)),
            Event::OrderPlaced(_)
            | Event::PaymentRequested(_)
            | Event::OrderPaid(_)
            | Event::OrderClosed(_)
            | Event::OrderFulfilled(_) => {
                Err(Failure::Dead(format!("{} is not for this service", event.routing_key())))
            }
        }
    }
}
