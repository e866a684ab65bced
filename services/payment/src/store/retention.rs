//! What has ended goes after its time, so that no table but the books grows with every order. Each statement takes out up to
//! [`BATCH`] rows, passes over what another replica is taking out, and answers how many there were. They are found by an index, in a
//! subquery whose result is an array: joined, it would have the whole table read for each batch.
//!
//! What stays: payments that were requested, and charges that were captured [late](crate::domain::voided) with their refunds, which
//! no payment tells of.

use ecommerce_postgres::Pool;
use ecommerce_postgres::housekeeping::BATCH;
use ecommerce_types::first_id_at;
use time::{Duration, OffsetDateTime};

use crate::domain::{ANSWERS_KEPT, card_testing};

/// Clocks of replicas differ by seconds; nothing is in a hurry to go.
const MARGIN: Duration = Duration::HOUR;

/// A tombstone without a `pay_by`, of a version that kept none, is needed as long as a late request could charge: the longest time to pay is
/// seven days from the placing of the order (order's `PAYMENT_DEADLINE_SECONDS`), which came before its close.
const TOMBSTONES_KEPT: Duration = Duration::days(8);

/// Attempts that have ended and whose answers are not remembered any more. Their ids sort by age, so their key is the index. What has
/// still to be looked up stays until it has been.
pub(crate) async fn forget_attempts(pool: Pool, now: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from attempts where id = any(array(
           select id from attempts as old
           where id < $1 and status in ('captured', 'declined', 'abandoned', 'withheld', 'refunded')
             and not exists (select from voided_charges where attempt_id = old.id)
             and (select late.status from attempts as late where late.id = old.charge_id) is distinct from 'captured_late'
           order by id limit $2
           for update skip locked))",
        first_id_at(now - ANSWERS_KEPT - MARGIN),
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(&pool).await?.rows_affected())
}

/// Tombstones of payments that nobody has requested and that nobody could charge any more: a late request names the same `pay_by`, after which
/// nothing is charged.
pub(crate) async fn forget_tombstones(pool: Pool, now: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from payments where customer_id is null and id = any(array(
           select id from payments where customer_id is null and created_at < $1 and (pay_by < $1 or created_at < $2)
           order by created_at limit $3
           for update skip locked))",
        now - MARGIN,
        now - TOMBSTONES_KEPT,
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(&pool).await?.rows_affected())
}

/// Declines that count for nobody any more.
pub(crate) async fn forget_declines(pool: Pool, now: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from declines where ctid = any(array(
           select ctid from declines where declined_at < $1 limit $2 for update skip locked))",
        now - card_testing::WINDOW - MARGIN,
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(&pool).await?.rows_affected())
}
