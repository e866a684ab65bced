//! The tables `attempts` and `declines`, as they are read.

use ecommerce_idempotency::StoredAnswer;
use ecommerce_types::{Money, PaymentId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode;
use crate::domain::{Attempt, AttemptId, Kind, Origin, card_testing};

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

/// Attempts as they were found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) attempts: Vec<Attempt>,
    /// Those that this version cannot read: they are left to the one that wrote them.
    pub(crate) unreadable: Vec<AttemptId>,
}

impl Found {
    /// How many there were.
    pub(crate) fn len(&self) -> usize {
        self.attempts.len() + self.unreadable.len()
    }
}

/// A row of `attempts`, as far as it takes to bring it to its end.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) payment_id: Uuid,
    pub(super) customer_id: Uuid,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) method: Option<String>,
    pub(super) charge_id: Option<Uuid>,
    pub(super) by_customer: bool,
    pub(super) request_id: Option<String>,
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

/// Those that read; of the others, which they are.
pub(super) fn read(rows: Vec<Row>) -> Found {
    let mut found = Found::default();
    for row in rows {
        let key = AttemptId(row.id);
        match attempt(row) {
            Ok(attempt) => found.attempts.push(attempt),
            Err(error) => {
                tracing::error!(attempt.id = %key, %error, "unable to read an attempt; it is left to the version that wrote it");
                found.unreadable.push(key);
            }
        }
    }
    found
}

fn attempt(row: Row) -> Result<Attempt, sqlx::Error> {
    let kind = match (row.kind.as_str(), row.method, row.charge_id) {
        ("charge", Some(method), None) => {
            Kind::Charge { method, origin: if row.by_customer { Origin::Customer } else { Origin::Order } }
        }
        ("refund", None, Some(charge)) => Kind::Refund { charge: AttemptId(charge) },
        _ => return Err(sqlx::Error::Decode("an attempt of an unknown kind".into())),
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
