//! The table `voided_charges`: what the provider has promised never to make, until it has been looked up once more. A row is written
//! where the promise is ([`ending`](super::ending)), and taken out by whoever has looked.
//!
//! Nobody holds a row. Whoever looks it up puts it off for as long as that may take, so that no other does the same meanwhile; a
//! process that dies, and a provider that does not answer, leave it to whoever looks next.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::attempts::{Found, Row, read};
use crate::domain::{Attempt, AttemptId};

/// Charges that are to be looked up, those that have been due for longest first, and without those that did not read. They are put
/// off `until` then.
pub(crate) async fn take_due(
    connection: &mut PgConnection,
    unreadable: &[AttemptId],
    now: OffsetDateTime,
    until: OffsetDateTime,
    limit: i64,
) -> Result<Found, sqlx::Error> {
    let unreadable: Vec<Uuid> = unreadable.iter().map(|key| key.0).collect();
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
        &unreadable
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

/// The provider has made this charge all the same: begins the refund, at which `holder` is. False where another has done so before;
/// of any number at once, one takes the row out. A charge of nothing has nothing to give back.
pub(crate) async fn give_back(
    connection: &mut PgConnection,
    charge: &Attempt,
    refund: AttemptId,
    holder: Uuid,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with found as (delete from voided_charges where attempt_id = $1 returning attempt_id),
           late as (
             update attempts set status = 'captured_late', updated_at = $4 from found where id = attempt_id
             returning id, payment_id, customer_id, amount, currency, request_id),
           begun as (
             insert into attempts (id, kind, payment_id, customer_id, amount, currency, charge_id, status, request_id, created_at, updated_at)
             select $2, 'refund', payment_id, customer_id, amount, currency, id, 'open', request_id, $4, $4 from late where amount > 0
             returning id, customer_id),
           held as (
             insert into open_attempts (attempt_id, customer_id, holder, due_at) select id, customer_id, $3, $4 from begun)
           select exists (select from late) as "is_ours!""#,
        charge.key.0,
        refund.0,
        holder,
        now
    )
    .fetch_one(connection)
    .await
}
