//! Attempts that have ended, written with what that does to their payments and what it publishes, in one statement, and with what it
//! gives back.

use std::collections::HashMap;

use ecommerce_contract::Envelope;
use ecommerce_idempotency::StoredAnswer;
use ecommerce_postgres::outbox;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::attempts::answer;
use super::{payments, refunds};
use crate::domain::{Attempt, AttemptId, Outcome, Payment};

/// What ends of attempts leave behind.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) attempts: Vec<Ended>,
    /// Payments as they are now, each once.
    pub(crate) payments: Vec<Payment>,
    /// What is to be told.
    pub(crate) events: Vec<Envelope>,
    /// Money that was taken for an order that had ended by then.
    pub(crate) refunds: Vec<Attempt>,
}

/// An attempt with its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) key: AttemptId,
    pub(crate) outcome: Outcome,
    /// The answer to whoever asked for it.
    pub(crate) answer: Option<StoredAnswer>,
    /// When the provider's promise is [looked at](crate::domain::voided) once more, if that is how it has ended.
    pub(crate) look_up_at: Option<OffsetDateTime>,
}

/// Of these attempts, those that are not open any more, with what their customers were told. To be asked under the locks of their
/// payments, and in a statement after the one that waited for them.
pub(crate) async fn find_ended(
    transaction: &mut PgConnection,
    keys: &[Uuid],
) -> Result<HashMap<AttemptId, Option<StoredAnswer>>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, answer_status, answer_body from attempts where id = any($1) and status <> 'open'",
        keys
    )
    .fetch_all(transaction)
    .await?;
    Ok(rows.into_iter().map(|row| (AttemptId(row.id), answer(row.answer_status, row.answer_body))).collect())
}

/// Writes ends down; the payments are locked and the attempts open. A customer who was told meanwhile that it is being processed has
/// had the answer already, and that one stays. `holder` is at the refunds.
pub(crate) async fn end(
    transaction: &mut PgConnection,
    ending: &Ending,
    holder: Uuid,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let Ending { attempts, payments, events, refunds } = ending;
    let keys: Vec<Uuid> = attempts.iter().map(|ended| ended.key.0).collect();
    let outcomes: Vec<String> = attempts.iter().map(|ended| ended.outcome.as_str().to_owned()).collect();
    let codes: Vec<Option<String>> =
        attempts.iter().map(|ended| ended.outcome.decline_code().map(str::to_owned)).collect();
    let statuses: Vec<Option<i16>> =
        attempts.iter().map(|ended| ended.answer.as_ref().map(StoredAnswer::status_code)).collect();
    let bodies: Vec<Option<Vec<u8>>> =
        attempts.iter().map(|ended| ended.answer.as_ref().map(|answer| answer.body.clone())).collect();
    let promises: Vec<Option<OffsetDateTime>> = attempts.iter().map(|ended| ended.look_up_at).collect();
    let paid = payments::Columns::of(payments);
    let told = outbox::Columns::of(events)?;
    let ended = sqlx::query_scalar!(
        r#"with ended as (
             update attempts set status = new.status, decline_code = new.code, updated_at = $16,
               answer_status = coalesce(attempts.answer_status, new.answer_status),
               answer_body = coalesce(attempts.answer_body, new.answer_body)
             from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::bytea[], $6::timestamptz[])
               as new (id, status, code, answer_status, answer_body, look_up_at)
             where attempts.id = new.id and attempts.status = 'open'
             returning attempts.id, attempts.customer_id, new.status, new.look_up_at),
           closed as (delete from open_attempts where attempt_id = any($1)),
           declined as (
             insert into declines (customer_id, declined_at, attempt_id) select customer_id, $16, id from ended where status = 'declined'),
           voided as (
             insert into voided_charges (attempt_id, due_at) select id, look_up_at from ended where look_up_at is not null),
           changed as (
             update payments set status = new.status, declines = new.declines, charge_id = new.charge_id,
               amount_captured = new.captured, amount_refunded = new.refunded, updated_at = $16
             from unnest($7::uuid[], $8::text[], $9::smallint[], $10::uuid[], $11::bigint[], $12::bigint[])
               as new (id, status, declines, charge_id, captured, refunded)
             where payments.id = new.id),
           told as (insert into outbox (id, routing_key, body) select * from unnest($13::uuid[], $14::text[], $15::text[]))
           select count(*) as "count!" from ended"#,
        &keys,
        &outcomes,
        &codes as &[Option<String>],
        &statuses as &[Option<i16>],
        &bodies as &[Option<Vec<u8>>],
        &promises as &[Option<OffsetDateTime>],
        &paid.ids,
        &paid.statuses,
        &paid.declines,
        &paid.charges as &[Option<Uuid>],
        &paid.captured,
        &paid.refunded,
        &told.ids,
        &told.routing_keys,
        &told.bodies,
        now
    )
    .fetch_one(&mut *transaction)
    .await?;
    if usize::try_from(ended) != Ok(attempts.len()) {
        return Err(sqlx::Error::RowNotFound);
    }
    refunds::begin(transaction, refunds, holder, now).await
}
