//! A dump is held open: the deadlines of orders that have ended meanwhile are not gone from their index.

use ecommerce_testing::{Database, TableWork, eventually, figure, scale};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};
use time::Duration;
use tokio::sync::Mutex;

use crate::shop::Shop;

/// Pages of `open_orders` and of its indexes that a look of the clock may touch, on average.
const PAGES: i64 = 10;
/// No page holds so many rows: the whole look at the start touches more than one for so many.
const ROWS_OF_A_PAGE: i64 = 500;
/// Looks that are counted.
const LOOKS: i64 = 5;

async fn work(database: &Database) -> TableWork {
    TableWork::of(database, "open_orders").await
}

#[tokio::test]
async fn what_a_held_snapshot_keeps_from_going_is_not_walked_over_each_second() {
    let passed = i64::try_from(scale(200_000, 20_000)).unwrap();
    let database = Database::create(order::migrations()).await;
    // It would find nothing to take away, and touch every page for that.
    let quiet = "alter table open_orders set (autovacuum_enabled = false)";
    sqlx::query(quiet).execute(&mut database.as_owner().await).await.unwrap();
    let mut dump = PgConnection::connect(database.settings.database_url.expose_secret()).await.unwrap();
    let mut snapshot = dump.begin_with("begin isolation level repeatable read").await.unwrap();
    sqlx::query("select from open_orders").execute(&mut *snapshot).await.unwrap();

    let ended = "insert into open_orders (order_id, pay_by)
                 select gen_random_uuid(), now() - number * interval '10 milliseconds' - interval '5 minutes' from generate_series(1, $1) as number";
    sqlx::query(ended).bind(passed).execute(&database.pool).await.unwrap();
    sqlx::query("delete from open_orders").execute(&database.pool).await.unwrap();
    // So many that nobody begins with them.
    let orders = "insert into orders (id, customer_id, status, version, currency, total, lines, pay_by, created_at, updated_at)
                  select gen_random_uuid(), gen_random_uuid(), 'expired', 1, 'EUR', 1, '[]', now(), now(), now() from generate_series(1, $1)";
    sqlx::query(orders).bind(passed).execute(&database.pool).await.unwrap();
    sqlx::query("analyze orders").execute(&mut database.as_owner().await).await.unwrap();
    let shop = Shop::open_on(database).await;
    let (before, database) = (work(&shop.database).await, &shop.database);
    let whole = eventually("a whole look", || async {
        let work = work(database).await;
        (work.pages >= before.pages + passed / ROWS_OF_A_PAGE && work.looks > before.looks).then_some(work)
    })
    .await;
    // Until the queue was heard, nothing is known to have been left by nobody.
    let seen = Mutex::new(whole);
    let pages = eventually("looks that touch few pages", || async {
        let (now, mut seen) = (work(database).await, seen.lock().await);
        let looks = now.looks - seen.looks;
        if looks < LOOKS {
            return None;
        }
        let pages = (now.pages - seen.pages) / looks;
        *seen = now;
        (pages <= PAGES).then_some(pages)
    })
    .await;
    figure("pages that a look for what nobody has paid touches beside a dump", pages);

    let customer = shop.customer();
    let id = shop.order(&customer).await;
    shop.clock.advance(Duration::minutes(15));
    shop.reaches(&customer, id, "expired").await;
    snapshot.rollback().await.unwrap();
}
