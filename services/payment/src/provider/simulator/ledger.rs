//! The far side of the simulator: charges and refunds in the schema `simulator`, each made once for its key.
//!
//! It stands for somebody else's database: its SQL is its own, its transactions are its own, and no other statement of this
//! service names its tables.

use std::collections::HashSet;

use ecommerce_postgres::{Batching, Pool};
use sqlx::PgConnection;

use super::super::{ChargeOrder, RefundOrder};
use crate::domain::AttemptId;

/// What the ledger holds under a charge's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Captured,
    Declined(String),
    /// Shall never take place.
    Void,
}

/// Why the ledger does nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// What is asked cannot be.
    #[error("{0}")]
    Refused(&'static str),
    /// The ledger is away.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pool: Pool,
    /// Charges that come together are entered together; answers whether the key was free.
    entering: Batching<NewCharge, bool>,
}

#[derive(Debug, Clone)]
struct NewCharge {
    order: ChargeOrder,
    entry: Entry,
}

struct ChargeRow {
    amount: i64,
    currency: String,
    method: String,
    status: String,
    code: Option<String>,
}

impl Ledger {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, entering: Batching::default() }
    }

    /// Makes a charge that ends as `entry` says, or answers how the one with this key has ended.
    pub(super) async fn charge(&self, order: &ChargeOrder, entry: Entry) -> Result<Entry, Error> {
        let new = NewCharge { order: order.clone(), entry: entry.clone() };
        if self.entering.run(new, |charges| enter(&self.pool, charges)).await? {
            return Ok(entry);
        }
        let earlier = find_charge(&self.pool, order.key).await?.ok_or(sqlx::Error::RowNotFound)?;
        let same = earlier.amount == order.amount.amount()
            && earlier.currency == order.amount.currency().as_str()
            && earlier.method == order.method;
        if same { self::entry(earlier) } else { Err(Error::Refused("this key has named another charge")) }
    }

    /// The charge with this key, if there is one.
    pub(super) async fn find_charge(&self, key: AttemptId) -> Result<Option<Entry>, Error> {
        find_charge(&self.pool, key).await?.map(entry).transpose()
    }

    /// Gives back some of a captured charge, once for its key and never more than was captured.
    pub(super) async fn refund(&self, order: &RefundOrder) -> Result<(), Error> {
        self.pool.transaction(async |transaction: &mut PgConnection| refund(transaction, order).await).await
    }

    /// Whether the refund with this key has been made.
    pub(super) async fn find_refund(&self, key: AttemptId) -> Result<bool, Error> {
        let found = sqlx::query_scalar!(
            r#"select exists (select from simulator.refunds where key = $1) as "found!""#,
            key.to_string()
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(found)
    }
}

/// Enters those of these charges whose key is free; answers of each whether it was. Of two with the same key, the first is entered.
async fn enter(pool: &Pool, charges: Vec<NewCharge>) -> Result<Vec<bool>, sqlx::Error> {
    // In one sequence, so that two replicas that enter the same ones do not wait for each other.
    let mut sorted: Vec<&NewCharge> = charges.iter().collect();
    sorted.sort_by_key(|charge| charge.order.key);
    let keys: Vec<String> = sorted.iter().map(|charge| charge.order.key.to_string()).collect();
    let amounts: Vec<i64> = sorted.iter().map(|charge| charge.order.amount.amount()).collect();
    let currencies: Vec<String> = sorted.iter().map(|charge| charge.order.amount.currency().to_string()).collect();
    let methods: Vec<String> = sorted.iter().map(|charge| charge.order.method.clone()).collect();
    let (statuses, codes): (Vec<String>, Vec<Option<String>>) =
        sorted.iter().map(|charge| columns(&charge.entry)).unzip();
    let entered = sqlx::query_scalar!(
        "insert into simulator.charges (key, amount, currency, method, status, code)
         select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
         on conflict do nothing
         returning key",
        &keys,
        &amounts,
        &currencies,
        &methods,
        &statuses,
        &codes as &[Option<String>]
    );
    let mut entered: HashSet<String> = entered.fetch_all(pool).await?.into_iter().collect();
    Ok(charges.iter().map(|charge| entered.remove(&charge.order.key.to_string())).collect())
}

async fn refund(transaction: &mut PgConnection, order: &RefundOrder) -> Result<(), Error> {
    let (key, charge) = (order.key.to_string(), order.charge.to_string());
    let captured = sqlx::query!(
        "select amount, currency from simulator.charges where key = $1 and status = 'captured' for update",
        charge
    )
    .fetch_optional(&mut *transaction)
    .await?
    .ok_or(Error::Refused("there is no captured charge with this key"))?;
    if captured.currency != order.amount.currency().as_str() {
        return Err(Error::Refused("the charge is in another currency"));
    }
    let earlier = sqlx::query!("select charge_key, amount from simulator.refunds where key = $1", key)
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some(earlier) = earlier {
        let same = earlier.charge_key == charge && earlier.amount == order.amount.amount();
        return if same { Ok(()) } else { Err(Error::Refused("this key has named another refund")) };
    }
    let made = sqlx::query!(
        "insert into simulator.refunds (key, charge_key, amount)
             select $1, $2, $3::bigint where $3::bigint <= $4::bigint - (
               select coalesce(sum(amount), 0) from simulator.refunds where charge_key = $2)",
        key,
        charge,
        order.amount.amount(),
        captured.amount
    )
    .execute(transaction)
    .await?;
    if made.rows_affected() == 1 { Ok(()) } else { Err(Error::Refused("more would go back than was captured")) }
}

async fn find_charge(pool: &Pool, key: AttemptId) -> Result<Option<ChargeRow>, sqlx::Error> {
    sqlx::query_as!(
        ChargeRow,
        "select amount, currency, method, status, code from simulator.charges where key = $1",
        key.to_string()
    )
    .fetch_optional(pool)
    .await
}

fn columns(entry: &Entry) -> (String, Option<String>) {
    match entry {
        Entry::Captured => ("captured".to_owned(), None),
        Entry::Declined(code) => ("declined".to_owned(), Some(code.clone())),
        Entry::Void => ("void".to_owned(), None),
    }
}

fn entry(row: ChargeRow) -> Result<Entry, Error> {
    match (row.status.as_str(), row.code) {
        ("captured", None) => Ok(Entry::Captured),
        ("declined", Some(code)) => Ok(Entry::Declined(code)),
        ("void", None) => Ok(Entry::Void),
        _ => Err(Error::Refused("the ledger holds a charge that it does not understand")),
    }
}

#[cfg(test)]
mod tests;
