//! What order publishes: that an order wants its money, and that an order has ended without a sale. In any order, and more than
//! once.

use std::collections::{HashMap, HashSet};

use ecommerce_contract::events::{OrderClosed, PaymentRequested};
use ecommerce_contract::{Envelope, Event};
use ecommerce_courier::{Failure, Handle};
use ecommerce_types::{Money, PaymentId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::attempts::Attempts;
use crate::domain::{AttemptId, Origin, Payment};
use crate::store::charges::{self, Charge};
use crate::store::refunds::{self, NewRefund};
use crate::store::{closed_orders, payments};

/// Opens payments and closes them. What is to be charged or given back is written down here and done by the attempts' worker,
/// which is tapped after the commit.
#[derive(Debug)]
pub(crate) struct Payments {
    pub(crate) attempts: Attempts,
}

/// An event with the request that caused it.
type Caused<T> = (T, Option<String>);

impl Handle for Payments {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        let handle = async |transaction: &mut PgConnection| self.handle_in(transaction, events).await;
        ecommerce_postgres::transaction(connection, handle).await?;
        // What these events bring about is published when the provider has done it.
        Ok(Vec::new())
    }

    async fn committed(&self) {
        self.attempts.work.notify();
    }
}

impl Payments {
    async fn handle_in(&self, transaction: &mut PgConnection, events: &[Envelope]) -> Result<(), Failure> {
        let orders: Vec<Uuid> = events.iter().map(|envelope| envelope.event.order_id().0).collect();
        closed_orders::exclude_others(transaction, &orders).await?;
        let (mut requested, mut closed) = (Vec::new(), Vec::new());
        for envelope in events {
            let request_id = envelope.request_id.clone();
            match envelope.event.clone() {
                Event::PaymentRequested(event) => requested.push((event, request_id)),
                Event::OrderClosed(event) => closed.push((event, request_id)),
                other => return Err(Failure::Dead(format!("{} is not for this service", other.routing_key()))),
            }
        }
        // Closes first, so that an order whose two messages come in one batch is not charged at all.
        if !closed.is_empty() {
            self.close(transaction, closed).await?;
        }
        if !requested.is_empty() {
            self.open(transaction, requested).await?;
        }
        Ok(())
    }

    /// Writes the payments, and a charge for each that came with its method.
    async fn open(
        &self,
        transaction: &mut PgConnection,
        requested: Vec<Caused<PaymentRequested>>,
    ) -> Result<(), Failure> {
        let now = self.attempts.clock.now();
        let requests: Vec<&PaymentRequested> = requested.iter().map(|(request, _)| request).collect();
        let mut payable: HashSet<PaymentId> =
            payments::insert(transaction, &requests, now).await?.into_iter().collect();
        let mut begun = Vec::new();
        for (request, request_id) in requested {
            let is_new = payable.remove(&request.payment_id);
            if let Some(method) = request.payment_method
                && is_new
            {
                begun.push(Charge {
                    key: AttemptId(self.attempts.clock.new_id()),
                    payment_id: request.payment_id,
                    amount: Money::new(request.amount, request.currency)
                        .map_err(|error| Failure::Dead(error.to_string()))?,
                    method,
                    origin: Origin::Order,
                    withheld: false,
                    request_id,
                });
            }
        }
        charges::insert(transaction, &begun, self.attempts.hold(now), now).await?;
        Ok(())
    }

    /// Closes the payments, and begins to give back what is held for them. An order whose payment has not been asked for yet is
    /// remembered.
    async fn close(&self, transaction: &mut PgConnection, closed: Vec<Caused<OrderClosed>>) -> Result<(), Failure> {
        let now = self.attempts.clock.now();
        let orders: Vec<Uuid> = closed.iter().map(|(close, _)| close.order_id.0).collect();
        let mut causes: HashMap<Uuid, Option<String>> =
            closed.into_iter().map(|(close, request_id)| (close.order_id.0, request_id)).collect();
        let mut found: Vec<Payment> = payments::lock_of_orders(transaction, &orders).await?;
        let mut given_back = Vec::new();
        for payment in &mut found {
            let request_id = causes.remove(&payment.order_id.0).flatten();
            if let Some(amount) = payment.close().refund {
                let key = AttemptId(self.attempts.clock.new_id());
                given_back.push(NewRefund { key, payment_id: payment.id, amount, request_id });
            }
        }
        payments::update(transaction, &found, now).await?;
        refunds::insert(transaction, &given_back, self.attempts.hold(now), now).await?;
        let unheard_of: Vec<Uuid> = causes.into_keys().collect();
        closed_orders::insert(transaction, &unheard_of, now).await?;
        Ok(())
    }
}
