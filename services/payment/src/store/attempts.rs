//! The tables `attempts`, `open_attempts` and `declines`, as they are read; and who is at an attempt.

use ecommerce_idempotency::StoredAnswer;
use ecommerce_postgres::Pool;
use ecommerce_postgres::housekeeping::BATCH;
use ecommerce_types::{Money, PaymentId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode;
use crate::domain::{Attempt, AttemptId, Kind, Origin, card_testing};

/// Nobody is at an attempt with this holder.
const NOBODY: Uuid = Uuid::nil();

/// How a customer named the request that caused a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestName {
    pub(crate) user_id: UserId,
    pub(crate) idempotency_key: String,
    /// SHA-256 of the body's meaning.
    pub(crate) hash: Vec<u8>,
}

/// What became of the request with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requested {
    pub(crate) hash: Vec<u8>,
    /// None while it has not been answered.
    pub(crate) answer: Option<StoredAnswer>,
}

/// A row of `attempts`, as far as it takes to bring it to its end.
struct Row {
    id: Uuid,
    payment_id: Uuid,
    customer_id: Uuid,
    amount: i64,
    currency: String,
    method: Option<String>,
    charge_id: Option<Uuid>,
    by_customer: bool,
    request_id: Option<String>,
}

/// The request of this customer for this payment with this `Idempotency-Key`, if it came after `since`.
pub(crate) async fn find_requested(
    connection: &mut PgConnection,
    payment: PaymentId,
    name: &RequestName,
    since: OffsetDateTime,
) -> Result<Option<Requested>, sqlx::Error> {
    let found = sqlx::query!(
        r#"select request_hash as "request_hash!", answer_status, answer_body from attempts
           where payment_id = $1 and requested_by = $2 and idempotency_key = $3 and created_at > $4
           order by created_at desc limit 1"#,
        payment.0,
        name.user_id.0,
        name.idempotency_key,
        since
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|row| Requested { hash: row.request_hash, answer: answer(row.answer_status, row.answer_body) }))
}

/// What the request behind a charge was answered.
pub(crate) async fn find_answer(
    connection: &mut PgConnection,
    key: AttemptId,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    let found = sqlx::query!("select answer_status, answer_body from attempts where id = $1", key.0)
        .fetch_optional(connection)
        .await?;
    Ok(found.and_then(|row| answer(row.answer_status, row.answer_body)))
}

/// Takes over open attempts that nobody living is at and whose time has come, the oldest first; without those that another process
/// is taking over at this moment.
pub(crate) async fn take_over(
    connection: &mut PgConnection,
    holder: Uuid,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Attempt>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"with orphans as materialized (
             select attempt_id from open_attempts
             where due_at <= $2
               and holder <> all(array(select holder from holders where alive_until > $2))
             order by attempt_id limit $3
             for update skip locked),
           taken as (
             update open_attempts set holder = $1 from orphans where open_attempts.attempt_id = orphans.attempt_id
             returning open_attempts.attempt_id)
           select id, payment_id, customer_id, amount, currency, method, charge_id, requested_by is not null as "by_customer!", request_id
           from taken join attempts on id = attempt_id
           order by id"#,
        holder,
        now,
        limit
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(attempt).collect()
}

/// Open attempts that this process has held since before that time.
pub(crate) async fn find_own(
    connection: &mut PgConnection,
    holder: Uuid,
    before: OffsetDateTime,
) -> Result<Vec<AttemptId>, sqlx::Error> {
    let own =
        sqlx::query_scalar!("select attempt_id from open_attempts where holder = $1 and due_at < $2", holder, before);
    Ok(own.fetch_all(connection).await?.into_iter().map(AttemptId).collect())
}

/// Those of these attempts that are open.
pub(crate) async fn find_open(connection: &mut PgConnection, keys: &[AttemptId]) -> Result<Vec<Attempt>, sqlx::Error> {
    let keys: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, payment_id, customer_id, amount, currency, method, charge_id, requested_by is not null as "by_customer!", request_id
           from attempts where id = any($1) and status = 'open'"#,
        &keys
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(attempt).collect()
}

/// Lets anybody look an open attempt up whose outcome is not known, the later the longer it has been open, and keeps the answer that
/// says so. When another has taken it over from `holder` meanwhile, that one's stays. Answers what the customer is told now, which
/// is another's answer when another was quicker.
pub(crate) async fn let_go(
    connection: &mut PgConnection,
    key: AttemptId,
    holder: Uuid,
    answer: Option<&StoredAnswer>,
    now: OffsetDateTime,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    sqlx::query!(
        "with told as (
           update attempts set updated_at = $2, answer_status = coalesce(answer_status, $4), answer_body = coalesce(answer_body, $5)
           where id = $1 and status = 'open'
           returning id, created_at)
         update open_attempts
         set holder = $6, due_at = $2::timestamptz + least(($2::timestamptz - told.created_at) / 4, interval '1 minute')
         from told where attempt_id = told.id and holder = $3",
        key.0,
        now,
        holder,
        answer.map(StoredAnswer::status_code),
        answer.map(|answer| &*answer.body),
        NOBODY
    )
    .execute(&mut *connection)
    .await?;
    find_answer(connection, key).await
}

/// How many methods of this customer were declined within the window that ends `now`.
pub(crate) async fn count_declines(
    connection: &mut PgConnection,
    customer: UserId,
    now: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from declines where customer_id = $1 and declined_at > $2"#,
        customer.0,
        now - card_testing::WINDOW
    )
    .fetch_one(connection)
    .await
}

/// When the oldest of the last [`card_testing::MOST_DECLINES`] methods of a customer was declined; none when fewer were.
pub(crate) async fn find_oldest_decline(
    connection: &mut PgConnection,
    customer: UserId,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!(
        "select declined_at from declines where customer_id = $1 order by declined_at desc offset $2 limit 1",
        customer.0,
        card_testing::MOST_DECLINES - 1
    )
    .fetch_optional(connection)
    .await
}

/// Takes out up to [`BATCH`] declines that have counted for nobody for an hour; answers how many there were.
pub(crate) async fn forget_old_declines(pool: Pool) -> Result<u64, sqlx::Error> {
    let forgotten = sqlx::query!(
        "delete from declines where ctid in (
           select ctid from declines where declined_at < now() - interval '2 hours' limit $1 for update skip locked)",
        BATCH.cast_signed()
    );
    Ok(forgotten.execute(&pool).await?.rows_affected())
}

fn attempt(row: Row) -> Result<Attempt, sqlx::Error> {
    let kind = match (row.method, row.charge_id) {
        (Some(method), None) => {
            Kind::Charge { method, origin: if row.by_customer { Origin::Customer } else { Origin::Order } }
        }
        (None, Some(charge)) => Kind::Refund { charge: AttemptId(charge) },
        _ => return Err(sqlx::Error::Decode("an attempt is a charge or a refund".into())),
    };
    Ok(Attempt {
        key: AttemptId(row.id),
        payment_id: row.payment_id.into(),
        customer_id: row.customer_id.into(),
        amount: Money::new(row.amount, row.currency.parse().map_err(decode)?).map_err(decode)?,
        kind,
        request_id: row.request_id,
    })
}

pub(super) fn answer(status: Option<i16>, body: Option<Vec<u8>>) -> Option<StoredAnswer> {
    Some(StoredAnswer { status: u16::try_from(status?).unwrap_or(500), body: body? })
}
