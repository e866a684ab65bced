//! `/api/v1/orders`.

mod cancel;
mod fulfil;
mod list;
mod place;
mod read;
mod view;

use ecommerce_contract::Envelope;
use ecommerce_contract::Event;
use ecommerce_http::Caller;
use ecommerce_postgres::outbox;
use ecommerce_runtime::request_id;
use ecommerce_types::OrderId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{Change, NotAllowed, Order};
use crate::error::Error;
use crate::state::State;
use crate::store;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list::handler, place::handler))
        .routes(routes!(read::handler))
        .routes(routes!(cancel::handler))
        .routes(routes!(fulfil::handler))
}

/// Whether this person may know of this order.
fn may_see(caller: &Caller, order: &Order) -> bool {
    order.customer_id == caller.user_id || caller.is_staff()
}

/// Locks an order that the caller may see, changes it and publishes that, in one transaction. Answers the order as it is now.
async fn change(
    state: &State,
    caller: &Caller,
    id: OrderId,
    decide: impl FnOnce(&mut Order) -> Result<Change, NotAllowed>,
) -> Result<Order, Error> {
    let mut transaction = state.pool.begin().await?;
    let mut order = store::lock(&mut transaction, &[id]).await?.pop().ok_or(Error::NotFound)?;
    if !may_see(caller, &order) {
        return Err(Error::NotFound);
    }
    let change = decide(&mut order)?;
    if change != Change::None {
        store::update(&mut transaction, std::slice::from_ref(&order)).await?;
    }
    if let Change::Publish(event) = change {
        publish(state, &mut transaction, event).await?;
    }
    // The lock reads no lines; the answer has them.
    let order = store::find(&mut transaction, id).await?.ok_or(Error::NotFound)?;
    transaction.commit().await?;
    state.outbox.notify();
    Ok(order)
}

async fn publish(state: &State, transaction: &mut sqlx::PgConnection, event: Event) -> Result<(), Error> {
    let envelope = Envelope::new(&state.clock, request_id::current(), event);
    outbox::append(transaction, &[envelope]).await?;
    Ok(())
}
