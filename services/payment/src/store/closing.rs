//! Payments whose orders have ended without a sale: first a [tombstone](remember) where nothing was requested yet, then, of those
//! that were requested and are locked, the [close]. What goes back begins in [`refunds`](super::refunds).

use ecommerce_types::{OrderId, PaymentId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::payments;
use crate::domain::Payment;

/// A payment that its order names although nobody may have requested it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) payment: PaymentId,
    pub(crate) order: OrderId,
    /// After it, a late request charges nothing by itself.
    pub(crate) pay_by: OffsetDateTime,
}

/// Writes a tombstone for each of these payments that is not there: its request, when it comes, charges nothing. A request that is
/// being written at this moment is waited for. So the next statement of this transaction sees all of them, and each is a payment
/// or a tombstone.
pub(crate) async fn remember(
    transaction: &mut PgConnection,
    named: &[Named],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = named.iter().map(|named| named.payment.0).collect();
    let orders: Vec<Uuid> = named.iter().map(|named| named.order.0).collect();
    let deadlines: Vec<OffsetDateTime> = named.iter().map(|named| named.pay_by).collect();
    // In one sequence, as they are locked. No key is named to conflict with: whichever is looked at first, it is another's row.
    sqlx::query!(
        "insert into payments (id, order_id, status, pay_by, created_at, updated_at)
         select id, order_id, 'closed', pay_by, $4, $4
         from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as closed (id, order_id, pay_by) order by id
         on conflict do nothing",
        &ids,
        &orders,
        &deadlines,
        now
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Writes payments that have become closed, which are locked.
pub(crate) async fn close(
    transaction: &mut PgConnection,
    closed: &[Payment],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let closed = payments::Columns::of(closed);
    sqlx::query!(
        "update payments set status = new.status, updated_at = $3 from unnest($1::uuid[], $2::text[]) as new (id, status)
         where payments.id = new.id",
        &closed.ids,
        &closed.statuses,
        now
    )
    .execute(transaction)
    .await?;
    Ok(())
}
