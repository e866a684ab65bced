//! What product and payment publish of an order.

use std::collections::{HashMap, HashSet};

use ecommerce_contract::{Envelope, Event};
use ecommerce_postgres::outbox;
use ecommerce_rabbit::{Failure, Handle};
use ecommerce_types::{Clock, OrderId, PaymentId};
use sqlx::PgConnection;

use crate::domain::{Change, Order};
use crate::store;

/// Brings orders on.
#[derive(Debug)]
pub(crate) struct Orders {
    pub(crate) clock: Clock,
}

impl Handle for Orders {
    async fn handle(&self, transaction: &mut PgConnection, events: Vec<Envelope>) -> Result<(), Failure> {
        let ids: Vec<OrderId> = events.iter().map(|envelope| envelope.event.order_id()).collect();
        let orders = store::lock(transaction, &ids).await?;
        let mut orders: HashMap<OrderId, Order> = orders.into_iter().map(|order| (order.id, order)).collect();
        let mut changed = HashSet::new();
        let mut published = Vec::new();
        for envelope in events {
            let id = envelope.event.order_id();
            let order = orders.get_mut(&id).ok_or_else(|| Failure::Dead(format!("there is no order {id}")))?;
            let change = self.apply(order, &envelope.event)?;
            if change != Change::None {
                changed.insert(id);
                let (status, request_id) = (order.status.as_str(), envelope.request_id.as_deref());
                tracing::info!(order.id = %id, order.status = status, request.id = request_id, "an order has changed");
            }
            if let Change::Publish(event) = change {
                published.push(Envelope::new(&self.clock, envelope.request_id, event));
            }
        }
        let changed: Vec<Order> = changed.into_iter().filter_map(|id| orders.remove(&id)).collect();
        store::update(transaction, &changed).await?;
        outbox::append(transaction, &published).await?;
        Ok(())
    }
}

impl Orders {
    fn apply(&self, order: &mut Order, event: &Event) -> Result<Change, Failure> {
        let now = self.clock.now();
        match event {
            Event::StockReserved(_) => Ok(order.stock_reserved(PaymentId::new(&self.clock), now)),
            Event::StockRejected(_) => Ok(order.stock_rejected(now)),
            Event::PaymentCaptured(captured) => Ok(order.payment_captured(captured, now)),
            Event::PaymentFailed(failed) => Ok(order.payment_failed(&failed.code, now)),
            Event::PaymentRefunded(refunded) => Ok(order.payment_refunded(refunded.refunded_total, now)),
            Event::OrderPlaced(_) | Event::PaymentRequested(_) | Event::OrderPaid(_) | Event::OrderClosed(_) => {
                Err(Failure::Dead(format!("{} is not for this service", event.routing_key())))
            }
        }
    }
}
