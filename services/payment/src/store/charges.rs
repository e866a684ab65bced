//! The table `charges`: attempts to charge a payment, and what the customer who asked for one was answered.

use ecommerce_idempotency::StoredAnswer;
use ecommerce_types::{Money, PaymentId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode;
use crate::domain::{AttemptId, ChargeOutcome, Origin, card_testing};

/// A charge that is to be brought to its end.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) key: AttemptId,
    pub(crate) payment_id: PaymentId,
    pub(crate) amount: Money,
    pub(crate) method: String,
    pub(crate) origin: Origin,
    /// Whether it came with its order and [too many](card_testing) methods of the customer were declined: it is not sent.
    pub(crate) withheld: bool,
    /// Of the request that caused it.
    pub(crate) request_id: Option<String>,
}

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

/// Who may call the provider for an attempt, and until when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    pub(crate) holder: Uuid,
    pub(crate) until: OffsetDateTime,
}

/// A row of `charges` with the amount of its payment.
struct Row {
    id: Uuid,
    payment_id: Uuid,
    amount: i64,
    currency: String,
    method: String,
    by_customer: bool,
    withheld: bool,
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
        r#"select request_hash as "request_hash!", answer_status, answer_body from charges
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

/// Open charges that `holder` has written and still holds, without those it is at work on. One that it has taken over is not among
/// them, as taking it over is a change: should that have failed half-way, it is taken over again.
pub(crate) async fn held(
    connection: &mut PgConnection,
    holder: Uuid,
    now: OffsetDateTime,
    at_work: &[Uuid],
    limit: i64,
) -> Result<Vec<Charge>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select charges.id, payment_id, amount, currency, method, requested_by is not null as "by_customer!", request_id,
             requested_by is null and $5 <= (
               select count(*) from charges as earlier
               where earlier.customer_id = charges.customer_id and earlier.counts_from > $6 and earlier.counts_from < 'infinity')
               as "withheld!"
           from charges join payments on payments.id = payment_id
           where charges.status = 'open' and holder = $1 and held_until > $2 and charges.id <> all($3)
             and charges.updated_at = charges.created_at
           order by charges.id limit $4"#,
        holder,
        now,
        at_work,
        limit,
        card_testing::MOST_DECLINES,
        now - card_testing::WINDOW
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(charge).collect()
}

/// Takes over open charges whose hold is over, and that no other process is taking over.
pub(crate) async fn take_over(
    connection: &mut PgConnection,
    hold: Hold,
    now: OffsetDateTime,
    at_work: &[Uuid],
    limit: i64,
) -> Result<Vec<Charge>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"update charges set holder = $1, held_until = $2, updated_at = $3
           from payments
           where payments.id = payment_id and charges.id in (
             select id from charges
             where status = 'open' and held_until <= $3 and id <> all($4)
             order by held_until limit $5
             for update skip locked)
           returning charges.id, payment_id, amount, currency, method, requested_by is not null as "by_customer!", request_id,
             requested_by is null and $6 <= (
               select count(*) from charges as earlier
               where earlier.customer_id = charges.customer_id and earlier.counts_from > $7 and earlier.counts_from < 'infinity')
               as "withheld!""#,
        hold.holder,
        hold.until,
        now,
        at_work,
        limit,
        card_testing::MOST_DECLINES,
        now - card_testing::WINDOW
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(charge).collect()
}

/// Writes new charges of methods that came with their orders, open and held, all in one statement.
pub(crate) async fn insert(
    transaction: &mut PgConnection,
    charges: &[Charge],
    hold: Hold,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    if charges.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = charges.iter().map(|charge| charge.key.0).collect();
    let payments: Vec<Uuid> = charges.iter().map(|charge| charge.payment_id.0).collect();
    let methods: Vec<String> = charges.iter().map(|charge| charge.method.clone()).collect();
    let requests: Vec<Option<String>> = charges.iter().map(|charge| charge.request_id.clone()).collect();
    sqlx::query!(
        "insert into charges (id, payment_id, customer_id, method, status, request_id, holder, held_until, created_at, updated_at)
         select new.id, payments.id, customer_id, method, 'open', request_id, $5, $6, $7, $7
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as new (id, payment_id, method, request_id)
         join payments on payments.id = new.payment_id",
        &ids,
        &payments,
        &methods,
        &requests as &[Option<String>],
        hold.holder,
        hold.until,
        now
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Writes the charge that the request with this name has asked for, open and held, unless [too many](card_testing) methods of
/// the customer were declined or are being tried. False when so. Their lock is held: nobody else counts meanwhile.
pub(crate) async fn insert_requested(
    transaction: &mut PgConnection,
    charge: &Charge,
    name: &RequestName,
    hold: Hold,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into charges (id, payment_id, customer_id, method, status, request_id, holder, held_until,
           requested_by, idempotency_key, request_hash, created_at, updated_at)
         select $1, payments.id, customer_id, $3, 'open', $4, $5, $6, $7, $8, $9, $10, $10
         from payments
         where payments.id = $2 and $11 > (
           select count(*) from charges as earlier
           where earlier.customer_id = payments.customer_id and earlier.counts_from > $12)",
        charge.key.0,
        charge.payment_id.0,
        charge.method,
        charge.request_id,
        hold.holder,
        hold.until,
        name.user_id.0,
        name.idempotency_key,
        name.hash,
        now,
        card_testing::MOST_DECLINES,
        now - card_testing::WINDOW
    )
    .execute(transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When the oldest of the last [`card_testing::MOST_DECLINES`] methods of a customer was declined; none when fewer were.
pub(crate) async fn find_oldest_decline(
    connection: &mut PgConnection,
    customer: UserId,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select counts_from as "counts_from!" from charges where customer_id = $1 and counts_from < 'infinity'
           order by counts_from desc offset $2 limit 1"#,
        customer.0,
        card_testing::MOST_DECLINES - 1
    )
    .fetch_optional(connection)
    .await
}

/// Ends an open charge, with the answer to whoever asked for it. False when it has ended before. A customer who was told
/// meanwhile that it is being processed has had the answer already, and that one stays.
pub(crate) async fn end(
    transaction: &mut PgConnection,
    key: AttemptId,
    outcome: &ChargeOutcome,
    answer: Option<&StoredAnswer>,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update charges set status = $2, decline_code = $3, updated_at = $4,
           answer_status = coalesce(answer_status, $5), answer_body = coalesce(answer_body, $6)
         where id = $1 and status = 'open'",
        key.0,
        outcome.as_str(),
        outcome.decline_code(),
        now,
        answer.map(status),
        answer.map(|answer| &*answer.body)
    )
    .execute(transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets anybody look an open charge up whose outcome is not known, the later the longer it has been open, and keeps the answer
/// that says so. When another has taken it over from `holder` meanwhile, that one's hold stays.
pub(crate) async fn let_go(
    connection: &mut PgConnection,
    key: AttemptId,
    holder: Uuid,
    answer: Option<&StoredAnswer>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update charges set holder = case when holder = $6 then $5 else holder end,
           held_until = case when holder = $6
             then $2::timestamptz + least(($2::timestamptz - created_at) / 4, interval '1 minute') else held_until end,
           updated_at = $2,
           answer_status = coalesce(answer_status, $3), answer_body = coalesce(answer_body, $4)
         where id = $1 and status = 'open'",
        key.0,
        now,
        answer.map(status),
        answer.map(|answer| &*answer.body),
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
        "update charges set held_until = $2 where status = 'open' and holder = $1 and held_until > $2 and id <> all($3)",
        holder,
        now,
        at_work
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What the request behind a charge was answered.
pub(crate) async fn find_answer(
    connection: &mut PgConnection,
    key: AttemptId,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    let found = sqlx::query!("select answer_status, answer_body from charges where id = $1", key.0)
        .fetch_optional(connection)
        .await?;
    Ok(found.and_then(|row| answer(row.answer_status, row.answer_body)))
}

fn charge(row: Row) -> Result<Charge, sqlx::Error> {
    Ok(Charge {
        key: AttemptId(row.id),
        payment_id: row.payment_id.into(),
        amount: Money::new(row.amount, row.currency.parse().map_err(decode)?).map_err(decode)?,
        method: row.method,
        origin: if row.by_customer { Origin::Customer } else { Origin::Order },
        withheld: row.withheld,
        request_id: row.request_id,
    })
}

fn answer(status: Option<i16>, body: Option<Vec<u8>>) -> Option<StoredAnswer> {
    Some(StoredAnswer { status: u16::try_from(status?).unwrap_or(500), body: body? })
}

fn status(answer: &StoredAnswer) -> i16 {
    i16::try_from(answer.status).unwrap_or(500)
}
