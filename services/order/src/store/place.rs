//! A new order, written down with its key, its stored answer and what is told of it, in one statement.

use ecommerce_contract::Envelope;
use ecommerce_idempotency::{self as idempotency, Scope, StoredAnswer};
use ecommerce_postgres::OnConstraint as _;
use ecommerce_postgres::outbox::Columns;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::orders::StoredLine;
use crate::domain::Order;

/// Why an order was not placed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// Its key has named an order before, or names one at this moment.
    #[error("the key is taken")]
    KeyIsTaken,
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Places an order, unless its key is taken. A request with the same key that is at work at this moment is not waited for.
pub(crate) async fn place(
    connection: &mut PgConnection,
    order: &Order,
    told: &Envelope,
    scope: &Scope,
    answer: &StoredAnswer,
) -> Result<(), PlaceError> {
    let lines: Vec<StoredLine> = order.lines.iter().map(StoredLine::of).collect();
    let skus: Vec<String> = order.lines.iter().map(|line| line.sku.clone()).collect();
    let told = Columns::of(std::slice::from_ref(told))?;
    let done = sqlx::query!(
        "with key as (
           insert into idempotency_keys (user_id, method, path, key, request_hash, status, body)
           select $1, $2, $3, $4, $5, $6, $7 where pg_try_advisory_xact_lock($8)
           returning 1),
         placed as (
           insert into orders (id, customer_id, status, version, currency, total, lines, payment_method, pay_by, created_at, updated_at)
           select $9, $1, $10, $11, $12, $13, $14, $15, $16, $17, $17 from key),
         skus as (insert into order_skus (sku, order_id) select distinct sku, $9::uuid from key, unnest($21::text[]) as sku),
         open as (insert into open_orders (order_id, pay_by) select $9, $16 from key),
         told as (
           insert into outbox (id, routing_key, body)
           select event.* from key, unnest($18::uuid[], $19::text[], $20::text[]) as event)
         insert into order_history (order_id, version, at, status, amount_refunded, by)
         select $9, $11, $17, $10, 0, $1 from key",
        order.customer_id.0,
        scope.method,
        scope.path,
        scope.key,
        scope.fingerprint,
        answer.status_code(),
        answer.body,
        scope.lock(),
        order.id.0,
        order.status.as_str(),
        order.version,
        order.currency().as_str(),
        order.total.amount(),
        Json(lines) as _,
        order.payment_method,
        order.pay_by,
        order.created_at,
        &told.ids,
        &told.routing_keys,
        &told.bodies,
        &skus
    )
    .execute(connection)
    .await
    .on_constraint(idempotency::ONE_ANSWER_A_KEY, || PlaceError::KeyIsTaken)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(PlaceError::KeyIsTaken) }
}
