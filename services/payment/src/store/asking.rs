//! A charge that a customer asks for, written before the provider is called.

use ecommerce_types::UserId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::attempts::RequestName;
use crate::domain::{Attempt, card_testing};

/// Writes the charge that the request with this name has asked for, unless [too many](card_testing) methods of the customer were
/// declined or are being tried. False when so. Their lock is held: nobody else counts meanwhile. `holder` is at it.
pub(crate) async fn ask(
    transaction: &mut PgConnection,
    charge: &Attempt,
    method: &str,
    name: &RequestName,
    holder: Uuid,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let UserId(customer) = charge.customer_id;
    let done = sqlx::query!(
        "with begun as (
           insert into attempts (id, kind, payment_id, customer_id, amount, currency, method, status, request_id,
             requested_by, idempotency_key, request_hash, created_at, updated_at)
           select $1, 'charge', $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, $12, $12
           where $13 > (select count(*) from declines where customer_id = $3 and declined_at > $14)
             + (select count(*) from open_attempts join attempts on id = attempt_id
                where open_attempts.customer_id = $3 and kind = 'charge')
           returning id)
         insert into open_attempts (attempt_id, customer_id, holder, due_at) select id, $3, $11, $12 from begun",
        charge.key.0,
        charge.payment_id.0,
        customer,
        charge.amount.amount(),
        charge.amount.currency().as_str(),
        method,
        charge.request_id,
        name.user_id.0,
        name.idempotency_key,
        name.hash,
        holder,
        now,
        card_testing::MOST_DECLINES,
        now - card_testing::WINDOW
    )
    .execute(transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}
