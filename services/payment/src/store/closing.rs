//! Payments whose orders have ended without a sale: first a [tombstone](remember) where nothing was requested yet, then, of those
//! that were requested and are locked, the [close] with what goes back.

use ecommerce_types::{OrderId, PaymentId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{payments, refunds};
use crate::domain::{Attempt, Payment};

/// Writes a tombstone for each of these payments that is not there: its request, when it comes, charges nothing. A request that is
/// being written at this moment is waited for. So the next statement of this transaction sees all of them, and each is a payment
/// or a tombstone.
pub(crate) async fn remember(
    transaction: &mut PgConnection,
    closed: &[(PaymentId, OrderId)],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = closed.iter().map(|(payment, _)| payment.0).collect();
    let orders: Vec<Uuid> = closed.iter().map(|(_, order)| order.0).collect();
    // In one sequence, as they are locked. No key is named to conflict with: whichever is looked at first, it is another's row.
    sqlx::query!(
        "insert into payments (id, order_id, status, created_at, updated_at)
         select id, order_id, 'closed', $3, $3 from unnest($1::uuid[], $2::uuid[]) as closed (id, order_id) order by id
         on conflict do nothing",
        &ids,
        &orders,
        now
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Writes payments that have become closed, which are locked, and the refunds that begin with that; `holder` is at them.
pub(crate) async fn close(
    transaction: &mut PgConnection,
    closed: &[Payment],
    refunds: &[Attempt],
    holder: Uuid,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let closed = payments::Columns::of(closed);
    let refunds = refunds::Columns::of(refunds);
    sqlx::query!(
        "with changed as (
           update payments set status = new.status, updated_at = $11
           from unnest($1::uuid[], $2::text[]) as new (id, status)
           where payments.id = new.id),
         begun as (
           insert into attempts (id, kind, payment_id, customer_id, amount, currency, charge_id, status, request_id, created_at, updated_at)
           select id, 'refund', payment_id, customer_id, amount, currency, charge_id, 'open', request_id, $11, $11
           from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[], $8::uuid[], $9::text[])
             as new (id, payment_id, customer_id, amount, currency, charge_id, request_id)
           returning id, customer_id)
         insert into open_attempts (attempt_id, customer_id, holder, due_at) select id, customer_id, $10, $11 from begun",
        &closed.ids,
        &closed.statuses,
        &refunds.keys,
        &refunds.payments,
        &refunds.customers,
        &refunds.amounts,
        &refunds.currencies,
        &refunds.charges,
        &refunds.causes as &[Option<String>],
        holder,
        now
    )
    .execute(transaction)
    .await?;
    Ok(())
}
