//! What a person does to an order that is there: one transaction, on an order that is theirs to see.

use ecommerce_contract::{Envelope, Event};
use ecommerce_http::Caller;
use ecommerce_postgres::outbox;
use ecommerce_runtime::request_id;
use ecommerce_types::OrderId;
use sqlx::PgConnection;

use crate::domain::{Change, NotAllowed, Order};
use crate::error::Error;
use crate::state::State;
use crate::store;

/// Whether this person may know of this order.
pub(super) fn may_see(caller: &Caller, order: &Order) -> bool {
    order.customer_id == caller.user_id || caller.is_staff()
}

/// Locks an order that the caller may see, changes it and publishes that, in one transaction. Answers the order as it is now.
pub(super) async fn change(
    state: &State,
    caller: &Caller,
    id: OrderId,
    decide: impl FnOnce(&mut Order) -> Result<Change, NotAllowed>,
) -> Result<Order, Error> {
    let change = async |transaction: &mut PgConnection| {
        let mut order = store::lock(transaction, &[id]).await?.pop().ok_or(Error::NotFound)?;
        if !may_see(caller, &order) {
            return Err(Error::NotFound);
        }
        let change = decide(&mut order)?;
        if change != Change::None {
            store::update(transaction, std::slice::from_ref(&order)).await?;
        }
        if let Change::Publish(event) = change {
            publish(state, transaction, event).await?;
        }
        // The lock reads no lines; the answer has them.
        store::find(transaction, id).await?.ok_or(Error::NotFound)
    };
    let order = state.pool.transaction(change).await?;
    state.outbox.notify();
    Ok(order)
}

pub(super) async fn publish(state: &State, transaction: &mut PgConnection, event: Event) -> Result<(), Error> {
    let envelope = Envelope::new(&state.clock, request_id::current(), event);
    outbox::append(transaction, &[envelope]).await?;
    Ok(())
}
