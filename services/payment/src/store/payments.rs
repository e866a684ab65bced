//! The table `payments`. A tombstone, which nobody has requested, is nobody's to see.

use ecommerce_types::{Limit, Money, OrderId, PaymentId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode;
use crate::domain::{AttemptId, Payment, Status};

/// A row of `payments`, and whether one of its charges is open.
struct Row {
    id: Uuid,
    order_id: Uuid,
    customer_id: Uuid,
    amount: i64,
    currency: String,
    status: String,
    processing: bool,
    pay_by: OffsetDateTime,
    declines: i16,
    charge_id: Option<Uuid>,
    amount_captured: i64,
    amount_refunded: i64,
    created_at: OffsetDateTime,
}

pub(crate) async fn find(connection: &mut PgConnection, id: PaymentId) -> Result<Option<Payment>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, order_id, customer_id as "customer_id!", amount as "amount!", currency as "currency!", status,
             pay_by as "pay_by!", declines, charge_id, amount_captured, amount_refunded, created_at,
             exists (select from attempts where payment_id = payments.id and kind = 'charge' and status = 'open') as "processing!"
           from payments where id = $1 and customer_id is not null"#,
        id.0
    )
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(payment).transpose()
}

/// A page of payments, newest first: one customer's or everybody's, of one order or of all; of one that does not read, the id. A
/// statement for each, so that no plan has to serve two.
pub(crate) async fn list(
    connection: &mut PgConnection,
    customer: Option<UserId>,
    order: Option<OrderId>,
    after: Option<PaymentId>,
    limit: Limit,
) -> Result<Vec<(PaymentId, Option<Payment>)>, sqlx::Error> {
    let before = after.map_or(Uuid::max(), Uuid::from);
    let rows = match (order, customer) {
        (Some(order), customer) => of_order(connection, order, customer, before).await?,
        (None, Some(customer)) => of_customer(connection, customer, before, limit).await?,
        (None, None) => of_everybody(connection, before, limit).await?,
    };
    Ok(rows.iter().map(|row| (row.id.into(), readable(row))).collect())
}

fn readable(row: &Row) -> Option<Payment> {
    let read = payment(row);
    if let Err(error) = &read {
        tracing::error!(payment.id = %row.id, %error, "unable to read a payment; it is left to the version that wrote it");
    }
    read.ok()
}

/// There is one at the most.
async fn of_order(
    connection: &mut PgConnection,
    order: OrderId,
    customer: Option<UserId>,
    before: Uuid,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, order_id, customer_id as "customer_id!", amount as "amount!", currency as "currency!", status,
             pay_by as "pay_by!", declines, charge_id, amount_captured, amount_refunded, created_at,
             exists (select from attempts where payment_id = payments.id and kind = 'charge' and status = 'open') as "processing!"
           from payments where order_id = $1 and id < $2 and customer_id is not null"#,
        order.0,
        before
    );
    let mut rows = rows.fetch_all(connection).await?;
    rows.retain(|row| customer.is_none_or(|customer| row.customer_id == customer.0));
    Ok(rows)
}

async fn of_customer(
    connection: &mut PgConnection,
    customer: UserId,
    before: Uuid,
    limit: Limit,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, order_id, customer_id as "customer_id!", amount as "amount!", currency as "currency!", status,
             pay_by as "pay_by!", declines, charge_id, amount_captured, amount_refunded, created_at,
             exists (select from attempts where payment_id = payments.id and kind = 'charge' and status = 'open') as "processing!"
           from payments where customer_id = $1 and id < $2 order by id desc limit $3"#,
        customer.0,
        before,
        limit.and_one_more()
    );
    rows.fetch_all(connection).await
}

async fn of_everybody(connection: &mut PgConnection, before: Uuid, limit: Limit) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, order_id, customer_id as "customer_id!", amount as "amount!", currency as "currency!", status,
             pay_by as "pay_by!", declines, charge_id, amount_captured, amount_refunded, created_at,
             exists (select from attempts where payment_id = payments.id and kind = 'charge' and status = 'open') as "processing!"
           from payments where id < $1 and customer_id is not null order by id desc limit $2"#,
        before,
        limit.and_one_more()
    );
    rows.fetch_all(connection).await
}

/// Locks one payment for a change, and then its customer, so that one charge after the other begins that a customer asks for.
/// In this sequence always, and nothing else is locked after it: no two transactions wait for each other.
pub(crate) async fn lock_with_customer(
    transaction: &mut PgConnection,
    id: PaymentId,
) -> Result<Option<Payment>, sqlx::Error> {
    sqlx::query!(
        "with payment as materialized (select customer_id from payments where id = $1 for update)
         select pg_advisory_xact_lock(hashtextextended(customer_id::text, 1)) from payment",
        id.0
    )
    .fetch_optional(&mut *transaction)
    .await?;
    // A statement of its own: the one that waited for the lock still sees the attempts of the time before.
    find(transaction, id).await
}

/// Locks payments for a change, always in the same sequence, so that two batches never deadlock. Whether one is being processed is
/// as it was before the lock was waited for.
pub(crate) async fn lock(transaction: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, order_id, customer_id as "customer_id!", amount as "amount!", currency as "currency!", status,
             pay_by as "pay_by!", declines, charge_id, amount_captured, amount_refunded, created_at,
             exists (select from attempts where payment_id = payments.id and kind = 'charge' and status = 'open') as "processing!"
           from payments where id = any($1) and customer_id is not null order by id for update"#,
        ids
    )
    .fetch_all(transaction)
    .await?;
    rows.iter().map(payment).collect()
}

/// The same of the payments of these orders, under whatever ids they were requested.
pub(crate) async fn lock_of_orders(
    transaction: &mut PgConnection,
    orders: &[Uuid],
) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, order_id, customer_id as "customer_id!", amount as "amount!", currency as "currency!", status,
             pay_by as "pay_by!", declines, charge_id, amount_captured, amount_refunded, created_at,
             exists (select from attempts where payment_id = payments.id and kind = 'charge' and status = 'open') as "processing!"
           from payments where order_id = any($1) and customer_id is not null order by id for update"#,
        orders
    )
    .fetch_all(transaction)
    .await?;
    rows.iter().map(payment).collect()
}

/// What may change of payments, as columns.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) ids: Vec<Uuid>,
    pub(super) statuses: Vec<String>,
    pub(super) declines: Vec<i16>,
    pub(super) charges: Vec<Option<Uuid>>,
    pub(super) captured: Vec<i64>,
    pub(super) refunded: Vec<i64>,
}

impl Columns {
    pub(super) fn of<'a>(payments: impl IntoIterator<Item = &'a Payment>) -> Self {
        let mut columns = Self::default();
        for payment in payments {
            columns.ids.push(payment.id.0);
            columns.statuses.push(payment.status.as_str().to_owned());
            columns.declines.push(payment.declines);
            columns.charges.push(payment.charge_id.map(|charge| charge.0));
            columns.captured.push(payment.amount_captured);
            columns.refunded.push(payment.amount_refunded);
        }
        columns
    }
}

fn payment(row: &Row) -> Result<Payment, sqlx::Error> {
    Ok(Payment {
        id: row.id.into(),
        order_id: row.order_id.into(),
        customer_id: row.customer_id.into(),
        amount: Money::new(row.amount, row.currency.parse().map_err(decode)?).map_err(decode)?,
        status: row.status.parse::<Status>().map_err(decode)?,
        processing: row.processing,
        pay_by: row.pay_by,
        declines: row.declines,
        charge_id: row.charge_id.map(AttemptId),
        amount_captured: row.amount_captured,
        amount_refunded: row.amount_refunded,
        created_at: row.created_at,
    })
}
