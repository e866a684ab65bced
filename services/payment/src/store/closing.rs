//! Payments whose orders have ended without a sale, written with what goes back of them, in one statement.

use ecommerce_postgres::OnConstraint as _;
use ecommerce_types::{OrderId, PaymentId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::payments::Columns;
use crate::domain::{AttemptId, Payment};

/// What closes of orders leave behind.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// Payments as they are now.
    pub(crate) closed: Vec<Payment>,
    /// What goes back of them.
    pub(crate) refunds: Vec<NewRefund>,
    /// Payments that were not asked for yet: the request, when it comes, charges nothing.
    pub(crate) tombstones: Vec<(PaymentId, OrderId)>,
}

/// What is to be given back of a payment.
#[derive(Debug, Clone)]
pub(crate) struct NewRefund {
    pub(crate) key: AttemptId,
    pub(crate) payment_id: PaymentId,
    /// Minor units of the payment's currency.
    pub(crate) amount: i64,
    /// Of the request that caused it.
    pub(crate) request_id: Option<String>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloseError {
    /// A payment was asked for at the same moment: read again.
    #[error("a payment was requested meanwhile")]
    Overtaken,
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Writes all of it; the payments are locked. Answers each refund with the charge whose money it is; `holder` is at them.
pub(crate) async fn close(
    transaction: &mut PgConnection,
    closing: &Closing,
    holder: Uuid,
    now: OffsetDateTime,
) -> Result<Vec<(AttemptId, AttemptId)>, CloseError> {
    let Closing { closed, refunds, tombstones } = closing;
    let paid = Columns::of(closed);
    let keys: Vec<Uuid> = refunds.iter().map(|refund| refund.key.0).collect();
    let payments: Vec<Uuid> = refunds.iter().map(|refund| refund.payment_id.0).collect();
    let amounts: Vec<i64> = refunds.iter().map(|refund| refund.amount).collect();
    let causes: Vec<Option<String>> = refunds.iter().map(|refund| refund.request_id.clone()).collect();
    let mut tombstones = tombstones.clone();
    tombstones.sort_unstable();
    let unrequested: Vec<Uuid> = tombstones.iter().map(|(payment, _)| payment.0).collect();
    let orders: Vec<Uuid> = tombstones.iter().map(|(_, order)| order.0).collect();
    let begun = sqlx::query!(
        r#"with changed as (
             update payments set status = new.status, updated_at = $10
             from unnest($1::uuid[], $2::text[]) as new (id, status)
             where payments.id = new.id),
           tombstones as (
             insert into payments (id, order_id, status, created_at, updated_at)
             select id, order_id, 'closed', $10, $10 from unnest($3::uuid[], $4::uuid[]) as closed (id, order_id)
             where not exists (select from payments where payments.id = closed.id and customer_id is null)),
           begun as (
             insert into attempts (id, kind, payment_id, customer_id, amount, currency, charge_id, status, request_id, created_at, updated_at)
             select new.id, 'refund', new.payment_id, charge.customer_id, new.amount, charge.currency, charge.id, 'open', new.request_id, $10, $10
             from unnest($5::uuid[], $6::uuid[], $7::bigint[], $8::text[]) as new (id, payment_id, amount, request_id)
             join attempts as charge on charge.payment_id = new.payment_id and charge.kind = 'charge' and charge.status = 'captured'
             returning id, customer_id, charge_id),
           held as (
             insert into open_attempts (attempt_id, customer_id, holder, due_at) select id, customer_id, $9, $10 from begun)
           select id, charge_id as "charge_id!" from begun"#,
        &paid.ids,
        &paid.statuses,
        &unrequested,
        &orders,
        &keys,
        &payments,
        &amounts,
        &causes as &[Option<String>],
        holder,
        now
    )
    .fetch_all(transaction)
    .await
    // Whichever key it has looked at first.
    .or_else(|error| match Err(error).on_constraint("payments_order_id_key", || CloseError::Overtaken) {
        Err(CloseError::Database(error)) => Err(error).on_constraint("payments_pkey", || CloseError::Overtaken),
        told => told,
    })?;
    if begun.len() < refunds.len() {
        return Err(sqlx::Error::RowNotFound.into());
    }
    Ok(begun.into_iter().map(|row| (AttemptId(row.id), AttemptId(row.charge_id))).collect())
}
