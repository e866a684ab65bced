//! Payments that orders ask for, written with the charges of the methods that came along, in one statement.

use std::collections::HashSet;

use ecommerce_contract::events::PaymentRequested;
use ecommerce_postgres::OnConstraint as _;
use ecommerce_types::{OrderId, PaymentId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{AttemptId, card_testing};

/// A payment that is asked for, and the charge that begins with it if it is new and a method came along.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) request: PaymentRequested,
    /// Of the request that caused it.
    pub(crate) request_id: Option<String>,
    /// The charge's.
    pub(crate) key: AttemptId,
}

/// A charge that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) key: AttemptId,
    /// Attempts of its customer that count against it: declined within the window, or open before this statement.
    pub(crate) counted: i64,
}

/// Why no payment was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// An order has one payment, and this one has another.
    #[error("order {order} has payment {known}, and {asked} is another")]
    AnotherPayment {
        /// The order.
        order: OrderId,
        /// The payment that it has.
        known: PaymentId,
        /// The one that is asked for.
        asked: PaymentId,
    },
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Writes payments, closed where a tombstone says so. One that is asked for again is left as it is, and one that comes after its time
/// to pay charges nothing. Answers the charges that have begun; `holder` is at them. Each payment stands once in `openings`.
pub(crate) async fn open(
    connection: &mut PgConnection,
    openings: &[Opening],
    holder: Uuid,
    now: OffsetDateTime,
) -> Result<Vec<Begun>, OpenError> {
    debug_assert_eq!(
        openings.iter().map(|opening| opening.request.payment_id).collect::<HashSet<PaymentId>>().len(),
        openings.len()
    );
    let requests = || openings.iter().map(|opening| &opening.request);
    let payments: Vec<Uuid> = requests().map(|request| request.payment_id.0).collect();
    let orders: Vec<Uuid> = requests().map(|request| request.order_id.0).collect();
    let customers: Vec<Uuid> = requests().map(|request| request.customer_id.0).collect();
    let amounts: Vec<i64> = requests().map(|request| request.amount).collect();
    let currencies: Vec<String> = requests().map(|request| request.currency.to_string()).collect();
    let deadlines: Vec<OffsetDateTime> = requests().map(|request| request.pay_by).collect();
    let methods: Vec<Option<String>> = requests().map(|request| request.payment_method.clone()).collect();
    let keys: Vec<Uuid> = openings.iter().map(|opening| opening.key.0).collect();
    let causes: Vec<Option<String>> = openings.iter().map(|opening| opening.request_id.clone()).collect();
    let begun = sqlx::query!(
        r#"with asked as materialized (
             select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::timestamptz[], $7::text[], $8::uuid[], $9::text[])
               as asked (id, order_id, customer_id, amount, currency, pay_by, method, attempt_id, request_id)),
           opened as (
             insert into payments (id, order_id, customer_id, amount, currency, status, pay_by, created_at, updated_at)
             select id, order_id, customer_id, amount, currency, 'awaiting_payment', pay_by, $11, $11 from asked order by id
             on conflict (id) do update
               set customer_id = excluded.customer_id, amount = excluded.amount, currency = excluded.currency,
                 pay_by = excluded.pay_by, updated_at = excluded.updated_at
               where payments.customer_id is null
             returning id, status),
           begun as (
             insert into attempts (id, kind, payment_id, customer_id, amount, currency, method, status, request_id, created_at, updated_at)
             select asked.attempt_id, 'charge', asked.id, asked.customer_id, asked.amount, asked.currency, asked.method, 'open',
               asked.request_id, $11, $11
             from opened join asked on asked.id = opened.id
             where opened.status = 'awaiting_payment' and asked.method is not null and asked.pay_by > $11
             returning id, customer_id),
           held as (
             insert into open_attempts (attempt_id, customer_id, holder, due_at) select id, customer_id, $10, $11 from begun)
           select id,
             (select count(*) from declines where declines.customer_id = begun.customer_id and declined_at > $12)
             + (select count(*) from open_attempts where open_attempts.customer_id = begun.customer_id) as "counted!"
           from begun"#,
        &payments,
        &orders,
        &customers,
        &amounts,
        &currencies,
        &deadlines,
        &methods as &[Option<String>],
        &keys,
        &causes as &[Option<String>],
        holder,
        now,
        now - card_testing::WINDOW
    )
    .fetch_all(&mut *connection)
    .await
    .on_constraint("payments_order_id_key", || Refused::OrderIsKnown);
    let begun = match begun {
        Ok(begun) => begun,
        Err(Refused::OrderIsKnown) => return Err(find_another(connection, &payments, &orders).await?),
        Err(Refused::Other(error)) => return Err(error.into()),
    };
    Ok(begun.into_iter().map(|row| Begun { key: AttemptId(row.id), counted: row.counted }).collect())
}

/// Why the statement was refused.
enum Refused {
    OrderIsKnown,
    Other(sqlx::Error),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error)
    }
}

/// Which of the orders has another payment than is asked for. Where none has, somebody has written one of these payments at this
/// moment, and the statement has looked at the order's key first: it works when it is tried again.
async fn find_another(
    connection: &mut PgConnection,
    payments: &[Uuid],
    orders: &[Uuid],
) -> Result<OpenError, sqlx::Error> {
    let another = sqlx::query!(
        r#"select known.order_id, known.id as known, asked.id as "asked!"
           from unnest($1::uuid[], $2::uuid[]) as asked (id, order_id) join payments as known on known.order_id = asked.order_id
           where known.id <> asked.id
           limit 1"#,
        payments,
        orders
    )
    .fetch_optional(connection)
    .await?;
    Ok(match another {
        Some(row) => {
            OpenError::AnotherPayment { order: row.order_id.into(), known: row.known.into(), asked: row.asked.into() }
        }
        None => sqlx::Error::Protocol("a payment was opened at this moment".to_owned()).into(),
    })
}
