//! Refunds that begin, beside whatever makes them due. Hardly any order has one, and so they are a statement of their own.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::Attempt;

/// Writes refunds; `holder` is at them.
pub(crate) async fn begin(
    transaction: &mut PgConnection,
    refunds: &[Attempt],
    holder: Uuid,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    if refunds.is_empty() {
        return Ok(());
    }
    let keys: Vec<Uuid> = refunds.iter().map(|refund| refund.key.0).collect();
    let payments: Vec<Uuid> = refunds.iter().map(|refund| refund.payment_id.0).collect();
    let customers: Vec<Uuid> = refunds.iter().map(|refund| refund.customer_id.0).collect();
    let amounts: Vec<i64> = refunds.iter().map(|refund| refund.amount.amount()).collect();
    let currencies: Vec<String> = refunds.iter().map(|refund| refund.amount.currency().to_string()).collect();
    let charges: Vec<Uuid> = refunds.iter().map(|refund| refund.charge().0).collect();
    let causes: Vec<Option<String>> = refunds.iter().map(|refund| refund.request_id.clone()).collect();
    sqlx::query!(
        "with begun as (
           insert into attempts (id, kind, payment_id, customer_id, amount, currency, charge_id, status, request_id, created_at, updated_at)
           select id, 'refund', payment_id, customer_id, amount, currency, charge_id, 'open', request_id, $9, $9
           from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::uuid[], $7::text[])
             as new (id, payment_id, customer_id, amount, currency, charge_id, request_id)
           returning id, customer_id)
         insert into open_attempts (attempt_id, customer_id, holder, due_at) select id, customer_id, $8, $9 from begun",
        &keys,
        &payments,
        &customers,
        &amounts,
        &currencies,
        &charges,
        &causes as &[Option<String>],
        holder,
        now
    )
    .execute(transaction)
    .await?;
    Ok(())
}
