//! The table `payments`.

use ecommerce_contract::events::PaymentRequested;
use ecommerce_types::{Limit, Money, OrderId, PaymentId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode;
use crate::domain::{Payment, Status};

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
    amount_captured: i64,
    amount_refunded: i64,
    created_at: OffsetDateTime,
}

pub(crate) async fn find(connection: &mut PgConnection, id: PaymentId) -> Result<Option<Payment>, sqlx::Error> {
    Ok(read(connection, &[id.0]).await?.pop())
}

/// A page of payments, newest first: one customer's or everybody's, of one order or of all.
pub(crate) async fn list(
    connection: &mut PgConnection,
    customer: Option<UserId>,
    order: Option<OrderId>,
    after: Option<PaymentId>,
    limit: Limit,
) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, order_id, customer_id, amount, currency, status, pay_by, declines, amount_captured, amount_refunded, created_at,
             exists (select from charges where payment_id = payments.id and status = 'open') as "processing!"
           from payments
           where ($1::uuid is null or customer_id = $1) and ($2::uuid is null or order_id = $2) and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        customer.map(Uuid::from),
        order.map(Uuid::from),
        after.map(Uuid::from),
        limit.and_one_more()
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(payment).collect()
}

/// Locks one payment for a change.
pub(crate) async fn lock(transaction: &mut PgConnection, id: PaymentId) -> Result<Option<Payment>, sqlx::Error> {
    sqlx::query!("select id from payments where id = $1 for update", id.0).fetch_optional(&mut *transaction).await?;
    // A statement of its own: the one that waited for the lock still sees the charges of the time before.
    find(transaction, id).await
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
    // A statement of its own, as above.
    find(transaction, id).await
}

/// Locks the payments of these orders, always in the same sequence, so that two batches never deadlock.
pub(crate) async fn lock_of_orders(
    transaction: &mut PgConnection,
    orders: &[Uuid],
) -> Result<Vec<Payment>, sqlx::Error> {
    let ids = sqlx::query_scalar!("select id from payments where order_id = any($1) order by id for update", orders)
        .fetch_all(&mut *transaction)
        .await?;
    read(transaction, &ids).await
}

/// Writes the payments that orders ask for, closed at once where the order is closed already. Answers those that are new and
/// may be charged; one that is asked for again is left as it is.
pub(crate) async fn insert(
    transaction: &mut PgConnection,
    requests: &[&PaymentRequested],
    now: OffsetDateTime,
) -> Result<Vec<PaymentId>, sqlx::Error> {
    let ids: Vec<Uuid> = requests.iter().map(|request| request.payment_id.0).collect();
    let orders: Vec<Uuid> = requests.iter().map(|request| request.order_id.0).collect();
    let customers: Vec<Uuid> = requests.iter().map(|request| request.customer_id.0).collect();
    let amounts: Vec<i64> = requests.iter().map(|request| request.amount).collect();
    let currencies: Vec<String> = requests.iter().map(|request| request.currency.to_string()).collect();
    let deadlines: Vec<OffsetDateTime> = requests.iter().map(|request| request.pay_by).collect();
    let inserted = sqlx::query!(
        "insert into payments (id, order_id, customer_id, amount, currency, status, pay_by, created_at, updated_at)
         select request.id, request.order_id, request.customer_id, request.amount, request.currency,
           case when closed.order_id is null then 'awaiting_payment' else 'closed' end, request.pay_by, $7, $7
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::timestamptz[])
           as request (id, order_id, customer_id, amount, currency, pay_by)
         left join closed_orders closed on closed.order_id = request.order_id
         order by request.id
         on conflict do nothing
         returning id, status",
        &ids,
        &orders,
        &customers,
        &amounts,
        &currencies,
        &deadlines,
        now
    )
    .fetch_all(transaction)
    .await?;
    Ok(inserted
        .into_iter()
        .filter(|row| row.status == Status::AwaitingPayment.as_str())
        .map(|row| row.id.into())
        .collect())
}

/// Writes back what may change of locked payments, all in one statement.
pub(crate) async fn update(
    transaction: &mut PgConnection,
    payments: &[Payment],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    if payments.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = payments.iter().map(|payment| payment.id.0).collect();
    let statuses: Vec<String> = payments.iter().map(|payment| payment.status.as_str().to_owned()).collect();
    let declines: Vec<i16> = payments.iter().map(|payment| payment.declines).collect();
    let captured: Vec<i64> = payments.iter().map(|payment| payment.amount_captured).collect();
    let refunded: Vec<i64> = payments.iter().map(|payment| payment.amount_refunded).collect();
    let done = sqlx::query!(
        "update payments set status = new.status, declines = new.declines, amount_captured = new.amount_captured,
           amount_refunded = new.amount_refunded, updated_at = $6
         from unnest($1::uuid[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[])
           as new (id, status, declines, amount_captured, amount_refunded)
         where payments.id = new.id",
        &ids,
        &statuses,
        &declines,
        &captured,
        &refunded,
        now
    )
    .execute(transaction)
    .await?;
    if done.rows_affected() == payments.len() as u64 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

async fn read(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, order_id, customer_id, amount, currency, status, pay_by, declines, amount_captured, amount_refunded, created_at,
             exists (select from charges where payment_id = payments.id and status = 'open') as "processing!"
           from payments where id = any($1) order by id"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(payment).collect()
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
        amount_captured: row.amount_captured,
        amount_refunded: row.amount_refunded,
        created_at: row.created_at,
    })
}
