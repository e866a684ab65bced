//! What most shops do, to compare with: an order is a transaction that locks its stock's row until it ends, in the same PostgreSQL
//! and as durable. It takes no money and tells nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ecommerce_contract::Service;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{Failure, Shop};

/// As many as one of our services has: for its requests, for what it does by itself, and its relay.
const CONNECTIONS: u32 = 10;
/// The database, of its own.
const DATABASE: &str = "row_lock";

/// The stock as ours, and an order in the two tables that a textbook gives it.
const SCHEMA: &str = "
    create table stock (
      product_id uuid primary key, on_hand bigint not null, reserved bigint not null, check (reserved between 0 and on_hand)
    ) with (fillfactor = 70);
    create table orders (
      id uuid primary key, customer_id uuid not null, status text not null, total bigint not null, created_at timestamptz not null);
    create index orders_of_a_customer on orders (customer_id, id desc);
    create table order_lines (
      order_id uuid not null references orders (id), product_id uuid not null references stock (product_id),
      quantity integer not null, unit_price bigint not null, primary key (order_id, product_id));";

/// A shop that locks a row for each order.
#[derive(Debug)]
pub struct RowLock {
    pool: PgPool,
    products: Arc<Vec<Uuid>>,
}

impl RowLock {
    /// One that sells so many products, in the PostgreSQL of ours.
    pub async fn new(shop: &Shop, products: usize) -> Result<Self, Failure> {
        let options: PgConnectOptions = shop.database_url(Service::Order).parse()?;
        let mut first = options.clone().database("postgres").connect().await?;
        sqlx::raw_sql("create database row_lock").execute(&mut first).await?;
        first.close().await?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
        let pool = pool.connect_with(options.database(DATABASE)).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        let products: Vec<Uuid> = (0..products).map(|_| Uuid::new_v4()).collect();
        let insert = sqlx::query("insert into stock select *, 1000000, 0 from unnest($1::uuid[])");
        insert.bind(&products).execute(&pool).await?;
        Ok(Self { pool, products: Arc::new(products) })
    }

    /// Places orders on the first so many products as fast as may be; answers how long that took.
    pub async fn place(&self, count: usize, products: usize) -> Result<Duration, Failure> {
        let (next, mut running) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        let began = Instant::now();
        for _ in 0..CONNECTIONS {
            let (next, pool, all) = (Arc::clone(&next), self.pool.clone(), Arc::clone(&self.products));
            running.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok::<_, Failure>(());
                    }
                    order(&pool, all[number % products]).await?;
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        Ok(began.elapsed())
    }
}

async fn order(pool: &PgPool, product: Uuid) -> Result<(), Failure> {
    let id = Uuid::new_v4();
    let mut transaction = pool.begin().await?;
    let row = sqlx::query("select on_hand, reserved from stock where product_id = $1 for update")
        .bind(product)
        .fetch_one(&mut *transaction)
        .await?;
    if row.try_get::<i64, _>("on_hand")? <= row.try_get::<i64, _>("reserved")? {
        return Err("the row lock's shop is sold out".into());
    }
    sqlx::query("update stock set reserved = reserved + 1 where product_id = $1")
        .bind(product)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("insert into orders values ($1, $2, 'pending', 1250, now())")
        .bind(id)
        .bind(Uuid::new_v4())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("insert into order_lines values ($1, $2, 1, 1250)")
        .bind(id)
        .bind(product)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}
