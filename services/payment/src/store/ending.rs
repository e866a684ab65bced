//! Attempts that have ended, written with what that does to their payments, what it publishes and what it gives back, in one
//! statement.

use std::collections::HashMap;

use ecommerce_contract::Envelope;
use ecommerce_idempotency::StoredAnswer;
use ecommerce_postgres::outbox;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::attempts::answer;
use super::payments;
use crate::domain::{Attempt, AttemptId, Kind, Outcome, Payment};

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
    let paid = payments::Columns::of(payments);
    let told = outbox::Columns::of(events)?;
    let refund_keys: Vec<Uuid> = refunds.iter().map(|refund| refund.key.0).collect();
    let refunded: Vec<Uuid> = refunds.iter().map(|refund| refund.payment_id.0).collect();
    let customers: Vec<Uuid> = refunds.iter().map(|refund| refund.customer_id.0).collect();
    let amounts: Vec<i64> = refunds.iter().map(|refund| refund.amount.amount()).collect();
    let currencies: Vec<String> = refunds.iter().map(|refund| refund.amount.currency().to_string()).collect();
    let charges: Vec<Option<Uuid>> = refunds.iter().map(charge_of).collect();
    let causes: Vec<Option<String>> = refunds.iter().map(|refund| refund.request_id.clone()).collect();
    let ended = sqlx::query_scalar!(
        r#"with ended as (
             update attempts set status = new.status, decline_code = new.code, updated_at = $22,
               answer_status = coalesce(attempts.answer_status, new.answer_status),
               answer_body = coalesce(attempts.answer_body, new.answer_body)
             from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::bytea[])
               as new (id, status, code, answer_status, answer_body)
             where attempts.id = new.id and attempts.status = 'open'
             returning attempts.id, attempts.customer_id, new.status),
           closed as (delete from open_attempts where attempt_id = any($1)),
           declined as (
             insert into declines (customer_id, declined_at, attempt_id) select customer_id, $22, id from ended where status = 'declined'),
           changed as (
             update payments set status = new.status, declines = new.declines, amount_captured = new.captured,
               amount_refunded = new.refunded, updated_at = $22
             from unnest($6::uuid[], $7::text[], $8::smallint[], $9::bigint[], $10::bigint[])
               as new (id, status, declines, captured, refunded)
             where payments.id = new.id),
           told as (insert into outbox (id, routing_key, body) select * from unnest($11::uuid[], $12::text[], $13::text[])),
           begun as (
             insert into attempts (id, kind, payment_id, customer_id, amount, currency, charge_id, status, request_id, created_at, updated_at)
             select id, 'refund', payment_id, customer_id, amount, currency, charge_id, 'open', request_id, $22, $22
             from unnest($14::uuid[], $15::uuid[], $16::uuid[], $17::bigint[], $18::text[], $19::uuid[], $20::text[])
               as new (id, payment_id, customer_id, amount, currency, charge_id, request_id)
             returning id, customer_id),
           held as (
             insert into open_attempts (attempt_id, customer_id, holder, due_at) select id, customer_id, $21, $22 from begun)
           select count(*) as "count!" from ended"#,
        &keys,
        &outcomes,
        &codes as &[Option<String>],
        &statuses as &[Option<i16>],
        &bodies as &[Option<Vec<u8>>],
        &paid.ids,
        &paid.statuses,
        &paid.declines,
        &paid.captured,
        &paid.refunded,
        &told.ids,
        &told.routing_keys,
        &told.bodies,
        &refund_keys,
        &refunded,
        &customers,
        &amounts,
        &currencies,
        &charges as &[Option<Uuid>],
        &causes as &[Option<String>],
        holder,
        now
    )
    .fetch_one(transaction)
    .await?;
    if usize::try_from(ended) == Ok(attempts.len()) { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

fn charge_of(refund: &Attempt) -> Option<Uuid> {
    match refund.kind {
        Kind::Refund { charge } => Some(charge.0),
        Kind::Charge { .. } => None,
    }
}
