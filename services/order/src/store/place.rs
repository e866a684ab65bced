//! New orders, written down with their keys, their stored answers and what is told of them, in one statement.

use std::collections::HashSet;
use std::sync::Arc;

use ecommerce_contract::Envelope;
use ecommerce_idempotency::{Scope, StoredAnswer};
use ecommerce_postgres::outbox;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::orders::StoredLine;
use crate::domain::{Metadata, Order};

/// A new order, and what is written beside it.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) order: Order,
    pub(crate) told: Envelope,
    pub(crate) scope: Scope,
    pub(crate) answer: StoredAnswer,
}

/// Places those of these orders whose key is free; answers of each whether it was. A key that another request is at work with at this
/// moment is taken, too: nobody is waited for. Of two in one batch that have the same key, the first is placed.
pub(crate) async fn place(
    connection: &mut PgConnection,
    placements: &[Arc<Placement>],
) -> Result<Vec<bool>, sqlx::Error> {
    let mut keys = HashSet::new();
    let first = placements.iter().filter(|placement| keys.insert((placement.scope.user_id, &placement.scope.key)));
    let first: Vec<&Placement> = first.map(Arc::as_ref).collect();
    let placed = insert(connection, &first).await?;
    Ok(placements.iter().map(|placement| placed.contains(&placement.order.id.0)).collect())
}

/// Each key stands once in `placements`.
async fn insert(connection: &mut PgConnection, placements: &[&Placement]) -> Result<HashSet<Uuid>, sqlx::Error> {
    let orders = || placements.iter().map(|placement| &placement.order);
    let ids: Vec<Uuid> = orders().map(|order| order.id.0).collect();
    let customers: Vec<Uuid> = orders().map(|order| order.customer_id.0).collect();
    let statuses: Vec<String> = orders().map(|order| order.status.as_str().to_owned()).collect();
    let versions: Vec<i32> = orders().map(|order| order.version).collect();
    let currencies: Vec<String> = orders().map(|order| order.currency().to_string()).collect();
    let totals: Vec<i64> = orders().map(|order| order.total.amount()).collect();
    let lines = orders().map(|order| Json(order.lines.iter().map(StoredLine::of).collect()));
    let lines: Vec<Json<Vec<StoredLine>>> = lines.collect();
    let payment_methods: Vec<Option<String>> = orders().map(|order| order.payment_method.clone()).collect();
    let metadata: Vec<Json<Metadata>> = orders().map(|order| Json(order.metadata.clone())).collect();
    let deadlines: Vec<OffsetDateTime> = orders().map(|order| order.pay_by).collect();
    let created: Vec<OffsetDateTime> = orders().map(|order| order.created_at).collect();
    let skus = orders().flat_map(|order| order.lines.iter().map(|line| (order.id.0, line.sku.clone())));
    let (of_orders, skus): (Vec<Uuid>, Vec<String>) = skus.unzip();

    let scopes = || placements.iter().map(|placement| &placement.scope);
    let methods: Vec<String> = scopes().map(|scope| scope.method.clone()).collect();
    let paths: Vec<String> = scopes().map(|scope| scope.path.clone()).collect();
    let keys: Vec<String> = scopes().map(|scope| scope.key.clone()).collect();
    let locks: Vec<i64> = scopes().map(Scope::lock).collect();
    let requests: Vec<Vec<u8>> = scopes().map(|scope| scope.fingerprint.clone()).collect();
    let answers: Vec<i16> = placements.iter().map(|placement| placement.answer.status_code()).collect();
    let bodies: Vec<Vec<u8>> = placements.iter().map(|placement| placement.answer.body.clone()).collect();
    let told = outbox::Columns::of(placements.iter().map(|placement| &placement.told))?;

    let placed = sqlx::query_scalar!(
        r#"with asked as (
             select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::bigint[], $7::jsonb[], $8::text[],
                 $9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::bigint[], $15::bytea[], $16::smallint[],
                 $17::bytea[], $18::uuid[], $19::text[], $20::text[], $23::jsonb[])
               as asked (id, customer_id, status, version, currency, total, lines, payment_method, pay_by, created_at,
                 method, path, key, lock, request_hash, answer_status, answer_body, event_id, routing_key, event_body, metadata)),
           free as (
             insert into idempotency_keys (user_id, method, path, key, request_hash, status, body)
             select customer_id, method, path, key, request_hash, answer_status, answer_body
             from asked where pg_try_advisory_xact_lock(lock)
             on conflict do nothing
             returning user_id, key),
           new as (select asked.* from free join asked on asked.customer_id = free.user_id and asked.key = free.key),
           placed as (
             insert into orders (id, customer_id, status, version, currency, total, lines, payment_method, pay_by, metadata, created_at, updated_at)
             select id, customer_id, status, version, currency, total, lines, payment_method, pay_by, metadata, created_at, created_at from new),
           skus as (
             insert into order_skus (sku, order_id)
             select distinct sku, id from new join unnest($21::uuid[], $22::text[]) as line (order_id, sku) on order_id = id),
           open as (insert into open_orders (order_id, pay_by) select id, pay_by from new),
           told as (insert into outbox (id, routing_key, body) select event_id, routing_key, event_body from new),
           history as (
             insert into order_history (order_id, version, at, status, amount_refunded, by)
             select id, version, created_at, status, 0, customer_id from new)
           select id as "id!" from new"#,
        &ids,
        &customers,
        &statuses,
        &versions,
        &currencies,
        &totals,
        &lines as &[Json<Vec<StoredLine>>],
        &payment_methods as &[Option<String>],
        &deadlines,
        &created,
        &methods,
        &paths,
        &keys,
        &locks,
        &requests,
        &answers,
        &bodies,
        &told.ids,
        &told.routing_keys,
        &told.bodies,
        &of_orders,
        &skus,
        &metadata as &[Json<Metadata>]
    )
    .fetch_all(connection)
    .await?;
    Ok(placed.into_iter().collect())
}
