//! A migration that has to wait for a table keeps nobody else from it.

use std::borrow::Cow;
use std::time::Duration;

use ecommerce_postgres::migration;
use ecommerce_testing::{Database, eventually};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

const TABLES: fn() -> Migrator = || sqlx::migrate!("../../migrations/order");
/// A request's patience; the migration waits for two seconds and goes aside.
const PATIENCE: Duration = Duration::from_secs(10);

fn another_column() -> Migrator {
    let sql = AssertSqlSafe("alter table orders add column another text".to_owned()).into_sql_str();
    let migration = Migration::new(9999, Cow::Borrowed("another column"), MigrationType::Simple, sql, false);
    Migrator { migrations: Cow::Owned(vec![migration]), ..TABLES() }
}

#[tokio::test]
async fn readers_pass_a_migration_that_waits_for_their_table() {
    let database = Database::create(TABLES()).await;
    let mut report = database.pool.begin().await.unwrap();
    sqlx::query("select count(*) from orders").fetch_one(&mut *report).await.unwrap();

    let meanwhile = async {
        eventually("the migration waits", async || {
            let waiting = "select count(*) from pg_locks where not granted and relation = 'orders'::regclass";
            let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&database.pool).await.unwrap();
            (waiting > 0).then_some(())
        })
        .await;
        let read = sqlx::query("select count(*) from orders").fetch_one(&database.pool);
        tokio::time::timeout(PATIENCE, read).await.expect("a reader waits behind a migration").unwrap();
        report.commit().await.unwrap();
    };
    let (migrated, ()) = tokio::join!(migration::run(&database.owner, another_column()), meanwhile);
    migrated.unwrap();
    sqlx::query("select another from orders").fetch_all(&database.pool).await.unwrap();
}
