//! The table `voided_charges`: what the provider has promised never to make, until it has been looked up once more. A row is written
//! where the promise is ([`ending`](super::ending)), and taken out by whoever has looked.
//!
//! Nobody holds a row. Whoever looks it up puts it off for as long as that may take, so that no other does the same meanwhile; a
//! process that dies, and a provider that does not answer, leave it to whoever looks next.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::attempts::{Found, Row, read};
use crate::domain::AttemptId;

/// Charges that are to be looked up, those that have been due for longest first, and without those that did not read. They are put
/// off `until` then.
pub(crate) async fn take_due(
    connection: &mut PgConnection,
    unreadable: &[Uuid],
    now: OffsetDateTime,
    until: OffsetDateTime,
    limit: i64,
) -> Result<Found, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"with due as materialized (
             select attempt_id from voided_charges where due_at <= $1 and attempt_id <> all($4)
             order by due_at limit $3
             for update skip locked),
           taken as (
             update voided_charges set due_at = $2 from due where voided_charges.attempt_id = due.attempt_id
             returning voided_charges.attempt_id)
           select id, kind, payment_id, customer_id, amount, currency, method, charge_id, requested_by is not null as "by_customer!",
             request_id
           from taken join attempts on id = attempt_id"#,
        now,
        until,
        limit,
        unreadable
    )
    .fetch_all(connection)
    .await?;
    Ok(read(rows))
}

/// The provider has kept its promise.
pub(crate) async fn forget(connection: &mut PgConnection, charge: AttemptId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from voided_charges where attempt_id = $1", charge.0).execute(connection).await?;
    Ok(())
}

/// The provider has made this charge all the same. False where another has said so before: of any number at once, one takes the row out.
pub(crate) async fn was_captured(
    transaction: &mut PgConnection,
    charge: AttemptId,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with found as (delete from voided_charges where attempt_id = $1 returning attempt_id),
           late as (
             update attempts set status = 'captured_late', updated_at = $2 from found where id = attempt_id returning id)
           select exists (select from late) as "is_ours!""#,
        charge.0,
        now
    )
    .fetch_one(transaction)
    .await
}
