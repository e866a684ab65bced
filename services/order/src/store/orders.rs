//! The tables `orders` and `order_lines`.

use std::collections::HashMap;

use ecommerce_types::{Currency, Limit, Money, OrderId, Quantity, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Line, Order, Status};

/// A row of `orders`. Its columns are named in each statement: `*` would change its meaning, and break the statements that
/// running pods have prepared, with the first column that a migration adds.
struct Row {
    id: Uuid,
    customer_id: Uuid,
    status: String,
    currency: String,
    total: i64,
    payment_method: Option<String>,
    payment_id: Option<Uuid>,
    pay_by: OffsetDateTime,
    amount_refunded: i64,
    reason: Option<String>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

/// One order, with its lines.
pub(crate) async fn find(connection: &mut PgConnection, id: OrderId) -> Result<Option<Order>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, customer_id, status, currency, total, payment_method, payment_id, pay_by, amount_refunded, reason,
           created_at, updated_at
         from orders where id = $1",
        id.0
    )
    .fetch_optional(&mut *connection)
    .await?;
    Ok(with_lines(connection, row.into_iter().collect()).await?.pop())
}

/// A page of orders, newest first: one customer's, or everybody's.
pub(crate) async fn list(
    connection: &mut PgConnection,
    customer: Option<UserId>,
    after: Option<OrderId>,
    limit: Limit,
) -> Result<Vec<Order>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, customer_id, status, currency, total, payment_method, payment_id, pay_by, amount_refunded, reason,
           created_at, updated_at
         from orders
         where ($1::uuid is null or customer_id = $1) and ($2::uuid is null or id < $2)
         order by id desc limit $3",
        customer.map(Uuid::from),
        after.map(Uuid::from),
        limit.and_one_more()
    )
    .fetch_all(&mut *connection)
    .await?;
    with_lines(connection, rows).await
}

/// Locks orders for a change, always in the same sequence, so that two changes of the same orders never deadlock. Their lines
/// stay where they are: no change needs them.
pub(crate) async fn lock(transaction: &mut PgConnection, ids: &[OrderId]) -> Result<Vec<Order>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        "select id, customer_id, status, currency, total, payment_method, payment_id, pay_by, amount_refunded, reason,
           created_at, updated_at
         from orders where id = any($1) order by id for update",
        &ids
    )
    .fetch_all(transaction)
    .await?;
    rows.into_iter().map(|row| order(row, Vec::new())).collect()
}

/// Locks orders whose time is over and that nobody else holds.
pub(crate) async fn lock_due(
    transaction: &mut PgConnection,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Order>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, customer_id, status, currency, total, payment_method, payment_id, pay_by, amount_refunded, reason,
           created_at, updated_at
         from orders
         where status in ('pending', 'awaiting_payment') and pay_by <= $1
         order by pay_by limit $2
         for update skip locked",
        now,
        limit
    )
    .fetch_all(transaction)
    .await?;
    rows.into_iter().map(|row| order(row, Vec::new())).collect()
}

/// Writes a new order and its lines in one statement.
pub(crate) async fn insert(transaction: &mut PgConnection, order: &Order) -> Result<(), sqlx::Error> {
    let products: Vec<Uuid> = order.lines.iter().map(|line| line.product_id.0).collect();
    let quantities: Vec<i32> = order.lines.iter().map(|line| line.quantity.get()).collect();
    let prices: Vec<i64> = order.lines.iter().map(|line| line.unit_price.amount()).collect();
    sqlx::query!(
        "with placed as (
           insert into orders (id, customer_id, status, currency, total, payment_method, pay_by, created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
           returning id)
         insert into order_lines (order_id, line, product_id, quantity, unit_price)
         select placed.id, item.line - 1, item.product_id, item.quantity, item.unit_price
         from placed, unnest($9::uuid[], $10::integer[], $11::bigint[])
           with ordinality as item (product_id, quantity, unit_price, line)",
        order.id.0,
        order.customer_id.0,
        order.status.as_str(),
        order.currency().as_str(),
        order.total.amount(),
        order.payment_method,
        order.pay_by,
        order.created_at,
        &products,
        &quantities,
        &prices
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Writes back what may change of locked orders, all in one statement.
pub(crate) async fn update(transaction: &mut PgConnection, orders: &[Order]) -> Result<(), sqlx::Error> {
    if orders.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id.0).collect();
    let statuses: Vec<String> = orders.iter().map(|order| order.status.as_str().to_owned()).collect();
    let payments: Vec<Option<Uuid>> = orders.iter().map(|order| order.payment_id.map(Uuid::from)).collect();
    let refunded: Vec<i64> = orders.iter().map(|order| order.amount_refunded).collect();
    let reasons: Vec<Option<String>> = orders.iter().map(|order| order.reason.clone()).collect();
    let updated: Vec<OffsetDateTime> = orders.iter().map(|order| order.updated_at).collect();
    let done = sqlx::query!(
        "update orders set status = new.status, payment_id = new.payment_id, amount_refunded = new.amount_refunded,
           reason = new.reason, updated_at = new.updated_at
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::timestamptz[])
           as new (id, status, payment_id, amount_refunded, reason, updated_at)
         where orders.id = new.id",
        &ids,
        &statuses,
        &payments as &[Option<Uuid>],
        &refunded,
        &reasons as &[Option<String>],
        &updated
    )
    .execute(transaction)
    .await?;
    if done.rows_affected() == orders.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Orders with their lines, which one further statement reads for all.
async fn with_lines(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Order>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let found = sqlx::query!(
        "select order_id, product_id, quantity, unit_price from order_lines where order_id = any($1) order by order_id, line",
        &ids
    )
    .fetch_all(connection)
    .await?;
    let mut lines: HashMap<Uuid, Vec<(Uuid, i32, i64)>> = HashMap::new();
    for line in found {
        lines.entry(line.order_id).or_default().push((line.product_id, line.quantity, line.unit_price));
    }
    rows.into_iter()
        .map(|row| {
            let lines = lines.remove(&row.id).unwrap_or_default();
            order(row, lines)
        })
        .collect()
}

fn order(row: Row, lines: Vec<(Uuid, i32, i64)>) -> Result<Order, sqlx::Error> {
    let currency: Currency = row.currency.parse().map_err(decode)?;
    let line = |(product_id, quantity, amount): (Uuid, i32, i64)| {
        Ok(Line {
            product_id: product_id.into(),
            quantity: Quantity::new(quantity.into()).map_err(decode)?,
            unit_price: Money::new(amount, currency).map_err(decode)?,
        })
    };
    Ok(Order {
        id: row.id.into(),
        customer_id: row.customer_id.into(),
        status: row.status.parse::<Status>().map_err(decode)?,
        lines: lines.into_iter().map(line).collect::<Result<_, sqlx::Error>>()?,
        total: Money::new(row.total, currency).map_err(decode)?,
        payment_method: row.payment_method,
        payment_id: row.payment_id.map(Into::into),
        pay_by: row.pay_by,
        amount_refunded: row.amount_refunded,
        reason: row.reason,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// A row that breaks a rule which the table's own constraints keep.
fn decode(error: ecommerce_types::Invalid) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
