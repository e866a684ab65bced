//! What a person does to an order that is there and theirs to see.

use ecommerce_contract::Envelope;
use ecommerce_http::Caller;
use ecommerce_runtime::request_id;
use ecommerce_types::OrderId;
use sqlx::PgConnection;

use crate::domain::{Change, NotAllowed, Order};
use crate::error::Error;
use crate::state::State;
use crate::store::{self, Changes, WriteError};

/// Whether this person may know of this order.
pub(super) fn may_see(caller: &Caller, order: &Order) -> bool {
    order.customer_id == caller.user_id || caller.is_staff()
}

/// Changes an order that the caller may see, and publishes that with it. Answers the order as it is now. Whoever changes it at the
/// same time and is first has decided first: it is read again.
pub(super) async fn change(
    state: &State,
    caller: &Caller,
    id: OrderId,
    decide: impl Fn(&mut Order) -> Result<Change, NotAllowed>,
) -> Result<Order, Error> {
    let change = async |connection: &mut PgConnection| change_on(connection, state, caller, id, &decide).await;
    let (order, told) = state.pool.run(change).await?;
    state.outgoing.send(told);
    Ok(order)
}

async fn change_on(
    connection: &mut PgConnection,
    state: &State,
    caller: &Caller,
    id: OrderId,
    decide: impl Fn(&mut Order) -> Result<Change, NotAllowed>,
) -> Result<(Order, Vec<Envelope>), Error> {
    loop {
        let order = store::find(connection, id).await?.filter(|order| may_see(caller, order));
        let mut order = order.ok_or(Error::NotFound)?;
        let mut changes = Changes::default();
        match decide(&mut order)? {
            Change::None => return Ok((order, Vec::new())),
            Change::Silent => {}
            Change::Publish(event) => changes.events.push(Envelope::new(&state.clock, request_id::current(), event)),
        }
        changes.steps.push(order.latest_step(Some(caller.user_id)));
        changes.orders.push(order.clone());
        match store::write(connection, &changes).await {
            Ok(()) => return Ok((order, changes.events)),
            Err(WriteError::Overtaken) => {}
            Err(WriteError::Database(error)) => return Err(error.into()),
        }
    }
}
