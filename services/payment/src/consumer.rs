//! What order publishes: that an order wants its money, and that an order has ended without a sale. In any order, and more than
//! once.

use std::collections::HashMap;

use ecommerce_contract::events::{OrderClosed, PaymentRequested};
use ecommerce_contract::{Envelope, Event};
use ecommerce_courier::{Failure, Handle};
use ecommerce_types::{Money, OrderId, PaymentId, UserId};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::attempts::{Attempts, Known};
use crate::domain::{Attempt, AttemptId, Kind, Origin, card_testing};
use crate::store::closing::{self, Named};
use crate::store::opening::{self, Begun, OpenError, Opening};
use crate::store::{payments, refunds};

/// A charge that has less time than this is looked at once more before it is sent.
const PLENTY: Duration = Duration::seconds(5);

/// Opens payments and closes them. What is to be charged or given back is written down here and done by the attempts' worker,
/// which gets it in memory after the commit.
#[derive(Debug)]
pub(crate) struct Payments {
    pub(crate) attempts: Attempts,
}

/// A close, with the request that caused it.
type Closed = (OrderClosed, Option<String>);

impl Handle for Payments {
    async fn handle(&self, connection: &mut PgConnection, events: &[Envelope]) -> Result<Vec<Envelope>, Failure> {
        let mut requested: HashMap<PaymentId, (PaymentRequested, Option<String>)> = HashMap::new();
        let mut closed: HashMap<OrderId, Closed> = HashMap::new();
        for envelope in events {
            let cause = envelope.request_id.clone();
            match envelope.event.clone() {
                Event::PaymentRequested(event) => drop(requested.insert(event.payment_id, (event, cause))),
                Event::OrderClosed(event) => drop(closed.insert(event.order_id, (event, cause))),
                other => return Err(Failure::Dead(format!("{} is not for this service", other.routing_key()))),
            }
        }
        // Closes first, so that an order whose two messages come in one batch is not charged at all.
        for (request, _) in requested.values() {
            if let Some((close, _)) = closed.get_mut(&request.order_id) {
                close.payment_id.get_or_insert(request.payment_id);
            }
        }
        if !closed.is_empty() {
            self.close(connection, &closed).await?;
        }
        if !requested.is_empty() {
            self.open(connection, requested.into_values()).await?;
        }
        // What these events bring about is published when the provider has done it.
        Ok(Vec::new())
    }

    /// There is none while there is more to call the provider for than memory holds.
    async fn has_room(&self) {
        self.attempts.queue.has_room().await;
    }
}

impl Payments {
    /// Writes the payments, and a charge for each that came with its method.
    async fn open(
        &self,
        connection: &mut PgConnection,
        requested: impl Iterator<Item = (PaymentRequested, Option<String>)>,
    ) -> Result<(), Failure> {
        let attempts = &self.attempts;
        let now = attempts.clock.now();
        let opening = |(request, request_id)| Opening { request, request_id, key: AttemptId(attempts.clock.new_id()) };
        let openings: Vec<Opening> = requested.map(opening).collect();
        let charges = openings.iter().map(charge).collect::<Result<Vec<_>, _>>()?;
        let begun = opening::open(connection, &openings, attempts.holder, now).await?;
        attempts.queue.push(with_what_is_known(charges.into_iter().flatten(), &begun, now));
        Ok(())
    }

    /// Closes the payments, and begins to give back what is held for them. One whose request has not come yet is remembered.
    async fn close(&self, connection: &mut PgConnection, closed: &HashMap<OrderId, Closed>) -> Result<(), Failure> {
        let close = async |transaction: &mut PgConnection| self.close_all(transaction, closed).await;
        let refunds = ecommerce_postgres::transaction(connection, close).await?;
        self.attempts.queue.push(refunds.into_iter().map(|refund| (refund, Known::Sound)));
        Ok(())
    }

    async fn close_all(
        &self,
        transaction: &mut PgConnection,
        closed: &HashMap<OrderId, Closed>,
    ) -> Result<Vec<Attempt>, sqlx::Error> {
        let Attempts { clock, holder, .. } = &self.attempts;
        let now = clock.now();
        let named = closed.values().filter_map(|(close, _)| {
            Some(Named { payment: close.payment_id?, order: close.order_id, pay_by: close.pay_by })
        });
        let named: Vec<Named> = named.collect();
        closing::remember(transaction, &named, now).await?;
        // Also of those that name none, or another: order may have been put back to a day before it asked for the money.
        let orders: Vec<Uuid> = closed.keys().map(|order| order.0).collect();
        let (mut changed, mut refunds) = (Vec::new(), Vec::new());
        for mut payment in payments::lock_of_orders(transaction, &orders).await? {
            let before = payment.status;
            if let Some(give_back) = payment.close().refund {
                let cause = closed.get(&payment.order_id).and_then(|(_, cause)| cause.clone());
                let refund = Attempt::refund(AttemptId(clock.new_id()), &payment, give_back, cause);
                refunds.push(refund.map_err(|error| sqlx::Error::Encode(error.into()))?);
            }
            if payment.status != before {
                changed.push(payment);
            }
        }
        if !changed.is_empty() {
            closing::close(transaction, &changed, now).await?;
            refunds::begin(transaction, &refunds, *holder, now).await?;
        }
        Ok(refunds)
    }
}

/// An order's other payment will be there whenever the request is tried again.
impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::AnotherPayment { .. } => Self::Dead(error.to_string()),
            OpenError::Database(error) => error.into(),
        }
    }
}

/// The charge that begins with a payment, if a method came along.
fn charge(opening: &Opening) -> Result<Option<(Attempt, OffsetDateTime)>, Failure> {
    let request = &opening.request;
    let amount = Money::new(request.amount, request.currency).map_err(|error| Failure::Dead(error.to_string()))?;
    Ok(request.payment_method.clone().map(|method| {
        let charge = Attempt {
            key: opening.key,
            payment_id: request.payment_id,
            customer_id: request.customer_id,
            amount,
            kind: Kind::Charge { method, origin: Origin::Order },
            request_id: opening.request_id.clone(),
        };
        (charge, request.pay_by)
    }))
}

/// Those of the charges that have begun. Nothing speaks against one that has plenty of time, of a customer who could have all that
/// are open declined and would not have had too many.
fn with_what_is_known(
    charges: impl Iterator<Item = (Attempt, OffsetDateTime)>,
    begun: &[Begun],
    now: OffsetDateTime,
) -> Vec<(Attempt, Known)> {
    let counted: HashMap<AttemptId, i64> = begun.iter().map(|begun| (begun.key, begun.counted)).collect();
    let mut of_customer: HashMap<UserId, i64> = HashMap::new();
    let known = |(charge, pay_by): (Attempt, OffsetDateTime)| {
        let counted = *counted.get(&charge.key)?;
        let of_batch = of_customer.entry(charge.customer_id).or_default();
        *of_batch += 1;
        let is_sound = counted + *of_batch <= card_testing::MOST_DECLINES && now + PLENTY < pay_by;
        Some((charge, if is_sound { Known::Sound } else { Known::Unsent }))
    };
    charges.filter_map(known).collect()
}
