//! The table `orders`, as it is read.

use std::collections::BTreeMap;

use ecommerce_types::{Currency, Money, OrderId, Quantity};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Line, Metadata, Order, Overdue, Status};

/// A row of `orders`. Its columns are named in each statement: `*` would change its meaning, and break the statements that
/// running pods have prepared, with the first column that a migration adds.
struct Row {
    id: Uuid,
    customer_id: Uuid,
    status: String,
    version: i32,
    currency: String,
    total: i64,
    lines: Json<StoredLines>,
    payment_method: Option<String>,
    payment_id: Option<Uuid>,
    pay_by: OffsetDateTime,
    amount_refunded: i64,
    reason: Option<String>,
    metadata: Json<BTreeMap<String, String>>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

/// A line as the column `lines` holds it. Fields are only ever added, each with a default: no migration rewrites old orders.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredLine {
    product_id: Uuid,
    sku: String,
    name: String,
    quantity: i32,
    /// Minor units of the order's currency.
    unit_price: i64,
}

/// All lines of an order. Those that do not read spoil no other order that is read with theirs.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum StoredLines {
    Read(Vec<StoredLine>),
    Other(IgnoredAny),
}

impl StoredLine {
    pub(super) fn of(line: &Line) -> Self {
        Self {
            product_id: line.product_id.0,
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: line.quantity.get(),
            unit_price: line.unit_price.amount(),
        }
    }

    fn into_line(self, currency: Currency) -> Result<Line, sqlx::Error> {
        Ok(Line {
            product_id: self.product_id.into(),
            sku: self.sku,
            name: self.name,
            quantity: Quantity::new(self.quantity.into()).map_err(decode)?,
            unit_price: Money::new(self.unit_price, currency).map_err(decode)?,
        })
    }
}

/// Orders as they were found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) orders: Vec<Order>,
    /// Those that this version cannot read: they are left to the one that wrote them.
    pub(crate) unreadable: Vec<OrderId>,
}

/// One order.
pub(crate) async fn find(connection: &mut PgConnection, id: OrderId) -> Result<Option<Order>, sqlx::Error> {
    Ok(find_all(connection, &[id]).await?.pop())
}

/// Those of these orders that there are, each of which reads.
pub(crate) async fn find_all(connection: &mut PgConnection, ids: &[OrderId]) -> Result<Vec<Order>, sqlx::Error> {
    rows(connection, ids).await?.into_iter().map(order).collect()
}

/// Those of these orders that there are and that read: for whoever only looks at them.
pub(crate) async fn find_readable(connection: &mut PgConnection, ids: &[OrderId]) -> Result<Vec<Order>, sqlx::Error> {
    Ok(read(rows(connection, ids).await?).orders)
}

async fn rows(connection: &mut PgConnection, ids: &[OrderId]) -> Result<Vec<Row>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, customer_id, status, version, currency, total, lines as "lines: Json<StoredLines>", payment_method,
             payment_id, pay_by, amount_refunded, reason, metadata as "metadata: Json<BTreeMap<String, String>>", created_at, updated_at
           from orders where id = any($1)"#,
        &ids
    )
    .fetch_all(connection);
    rows.await
}

/// Up to `limit` orders between these ids, both left out, oldest first.
pub(crate) async fn placed_between(
    connection: &mut PgConnection,
    after: OrderId,
    before: OrderId,
    limit: i64,
) -> Result<Found, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, customer_id, status, version, currency, total, lines as "lines: Json<StoredLines>", payment_method,
             payment_id, pay_by, amount_refunded, reason, metadata as "metadata: Json<BTreeMap<String, String>>", created_at, updated_at
           from orders where id > $1 and id < $2 order by id limit $3"#,
        after.0,
        before.0,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(read(rows))
}

/// Locks orders whose time is over, since after then, and that nobody else holds, the longest overdue first, and without those that did
/// not read.
pub(crate) async fn lock_due(
    transaction: &mut PgConnection,
    after: OffsetDateTime,
    overdue: Overdue,
    unreadable: &[Uuid],
    limit: i64,
) -> Result<Found, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, customer_id, status, version, currency, total, lines as "lines: Json<StoredLines>", payment_method,
             payment_id, orders.pay_by, amount_refunded, reason, metadata as "metadata: Json<BTreeMap<String, String>>", created_at, updated_at
           from open_orders join orders on id = order_id
           where open_orders.pay_by <= $1 and (open_orders.pay_by <= $4 or status = 'pending') and open_orders.pay_by > $5 and order_id <> all($2)
           order by open_orders.pay_by limit $3
           for update skip locked"#,
        overdue.pending,
        unreadable,
        limit,
        overdue.awaiting_payment,
        after
    )
    .fetch_all(transaction)
    .await?;
    Ok(read(rows))
}

/// Those that read, and those that do not, each of which is named in the log.
fn read(rows: Vec<Row>) -> Found {
    let mut found = Found::default();
    for row in rows {
        let id = row.id;
        match order(row) {
            Ok(order) => found.orders.push(order),
            Err(error) => {
                tracing::error!(order.id = %id, %error, "unable to read an order; it is left to the version that wrote it");
                found.unreadable.push(id.into());
            }
        }
    }
    found
}

fn order(row: Row) -> Result<Order, sqlx::Error> {
    let currency: Currency = row.currency.parse().map_err(decode)?;
    let StoredLines::Read(lines) = row.lines.0 else {
        return Err(sqlx::Error::Decode("the lines of an order are of another version".into()));
    };
    Ok(Order {
        id: row.id.into(),
        customer_id: row.customer_id.into(),
        status: row.status.parse::<Status>().map_err(decode)?,
        version: row.version,
        lines: lines.into_iter().map(|line| line.into_line(currency)).collect::<Result<_, _>>()?,
        total: Money::new(row.total, currency).map_err(decode)?,
        payment_method: row.payment_method,
        payment_id: row.payment_id.map(Into::into),
        pay_by: row.pay_by,
        amount_refunded: row.amount_refunded,
        reason: row.reason,
        metadata: Metadata::stored(row.metadata.0),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// A row that breaks a rule which the table's own constraints keep.
fn decode(error: ecommerce_types::Invalid) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
