//! A shop that has been open for years: orders of former times, all sent, and a catalogue, written by statements for whole tables.

use ecommerce_contract::Service;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::{Failure, Shop};

/// How much there was before.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Past {
    /// Orders of former times that fill the tables, after which everything is measured once more; none: it is not.
    #[arg(long, default_value_t = 0)]
    pub orders_before: i32,
    /// Products of former times.
    #[arg(long, default_value_t = 1_000)]
    pub products_before: i32,
}

/// Makes ids of former times: UUIDv7, one a minute from 2020 on. `kind` tells those of different things apart.
const IDS: &str =
    "create function pg_temp.old_id(kind integer, number integer) returns uuid language sql immutable return (
      lpad(to_hex(1577836800000 + number::bigint * 60000), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000'
      || lpad(to_hex(number), 12, '0'))::uuid;";

impl Past {
    /// Writes it.
    pub async fn fill(self, shop: &Shop) -> Result<(), Failure> {
        tokio::try_join!(
            self.fill_one(shop, Service::Product, include_str!("product.sql")),
            self.fill_one(shop, Service::Order, include_str!("order.sql")),
            self.fill_one(shop, Service::Payment, include_str!("payment.sql")),
        )?;
        Ok(())
    }

    async fn fill_one(self, shop: &Shop, service: Service, statements: &str) -> Result<(), Failure> {
        let options: PgConnectOptions = shop.database_url(service).parse()?;
        let mut database = options.options([("synchronous_commit", "off")]).connect().await?;
        let statements = statements
            .replace(":orders", &self.orders_before.to_string())
            .replace(":products", &self.products_before.to_string());
        sqlx::raw_sql(IDS).execute(&mut database).await?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut database).await?;
        // As the server does by itself in the course of time, so that it does not while something is measured.
        sqlx::raw_sql("vacuum analyze").execute(&mut database).await?;
        sqlx::raw_sql("checkpoint").execute(&mut database).await?;
        Ok(())
    }
}
