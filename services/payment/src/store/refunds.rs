//! The table `refunds`: attempts to give money back. So far all of a payment goes back at once; a refund of a part has to
//! count what is already on its way.

use ecommerce_types::{Money, PaymentId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::charges::Hold;
use super::decode;
use crate::domain::AttemptId;

/// A refund that is to be brought to its end.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) key: AttemptId,
    pub(crate) payment_id: PaymentId,
    /// The charge whose money it is.
    pub(crate) charge: AttemptId,
    pub(crate) amount: Money,
    /// Of the request that caused it.
    pub(crate) request_id: Option<String>,
}

/// What is to be given back, and why.
#[derive(Debug, Clone)]
pub(crate) struct NewRefund {
    pub(crate) key: AttemptId,
    pub(crate) payment_id: PaymentId,
    /// Minor units of the payment's currency.
    pub(crate) amount: i64,
    /// Of the request that caused it.
    pub(crate) request_id: Option<String>,
}

/// A row of `refunds` with the currency of its payment.
struct Row {
    id: Uuid,
    payment_id: Uuid,
    charge_id: Uuid,
    amount: i64,
    currency: String,
    request_id: Option<String>,
}

/// Open refunds that `holder` has written and still holds, without those it is at work on; not those that it has taken over.
pub(crate) async fn held(
    connection: &mut PgConnection,
    holder: Uuid,
    now: OffsetDateTime,
    at_work: &[Uuid],
    limit: i64,
) -> Result<Vec<Refund>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select refunds.id, payment_id, charge_id, refunds.amount, currency, request_id
         from refunds join payments on payments.id = payment_id
         where refunds.status = 'open' and holder = $1 and held_until > $2 and refunds.id <> all($3)
           and refunds.updated_at = refunds.created_at
         order by refunds.id limit $4",
        holder,
        now,
        at_work,
        limit
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(refund).collect()
}

/// Takes over open refunds whose hold is over, and that no other process is taking over.
pub(crate) async fn take_over(
    connection: &mut PgConnection,
    hold: Hold,
    now: OffsetDateTime,
    at_work: &[Uuid],
    limit: i64,
) -> Result<Vec<Refund>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "update refunds set holder = $1, held_until = $2, updated_at = $3
         from payments
         where payments.id = payment_id and refunds.id in (
           select id from refunds
           where status = 'open' and held_until <= $3 and id <> all($4)
           order by held_until limit $5
           for update skip locked)
         returning refunds.id, payment_id, charge_id, refunds.amount, currency, request_id",
        hold.holder,
        hold.until,
        now,
        at_work,
        limit
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(refund).collect()
}

/// Writes new refunds of captured payments, open and held, all in one statement.
pub(crate) async fn insert(
    transaction: &mut PgConnection,
    refunds: &[NewRefund],
    hold: Hold,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    if refunds.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = refunds.iter().map(|refund| refund.key.0).collect();
    let payments: Vec<Uuid> = refunds.iter().map(|refund| refund.payment_id.0).collect();
    let amounts: Vec<i64> = refunds.iter().map(|refund| refund.amount).collect();
    let requests: Vec<Option<String>> = refunds.iter().map(|refund| refund.request_id.clone()).collect();
    let done = sqlx::query!(
        "insert into refunds (id, payment_id, charge_id, amount, status, request_id, holder, held_until, created_at, updated_at)
         select new.id, new.payment_id, charges.id, new.amount, 'open', new.request_id, $5, $6, $7, $7
         from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[]) as new (id, payment_id, amount, request_id)
         join charges on charges.payment_id = new.payment_id and charges.status = 'captured'",
        &ids,
        &payments,
        &amounts,
        &requests as &[Option<String>],
        hold.holder,
        hold.until,
        now
    )
    .execute(transaction)
    .await?;
    if done.rows_affected() == refunds.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Ends an open refund. False when it has ended before.
pub(crate) async fn end(
    transaction: &mut PgConnection,
    key: AttemptId,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update refunds set status = 'refunded', updated_at = $2 where id = $1 and status = 'open'",
        key.0,
        now
    )
    .execute(transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets anybody look an open refund up whose outcome is not known, the later the longer it has been open. Does nothing when
/// another has taken it over from `holder` meanwhile.
pub(crate) async fn let_go(
    connection: &mut PgConnection,
    key: AttemptId,
    holder: Uuid,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refunds set holder = $3, held_until = $2::timestamptz + least(($2::timestamptz - created_at) / 4, interval '1 minute'), updated_at = $2
         where id = $1 and status = 'open' and holder = $4",
        key.0,
        now,
        Uuid::nil(),
        holder
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets go of all that `holder` holds and is not at work on.
pub(crate) async fn let_go_of_all(
    connection: &mut PgConnection,
    holder: Uuid,
    now: OffsetDateTime,
    at_work: &[Uuid],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refunds set held_until = $2 where status = 'open' and holder = $1 and held_until > $2 and id <> all($3)",
        holder,
        now,
        at_work
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn refund(row: Row) -> Result<Refund, sqlx::Error> {
    Ok(Refund {
        key: AttemptId(row.id),
        payment_id: row.payment_id.into(),
        charge: AttemptId(row.charge_id),
        amount: Money::new(row.amount, row.currency.parse().map_err(decode)?).map_err(decode)?,
        request_id: row.request_id,
    })
}
