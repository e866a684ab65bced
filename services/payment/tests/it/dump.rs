//! A dump is held open: attempts that have ended meanwhile are not gone from the pages of `open_attempts`.

use ecommerce_contract::Event;
use ecommerce_testing::{Database, TableWork, eventually, figure, scale};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};

use crate::shop::Shop;

/// Pages of `open_attempts` and of its indexes that a look may touch, on average.
const PAGES: i64 = 10;
/// No page holds so many rows: the whole look at the start touches more than one for so many.
const ROWS_OF_A_PAGE: i64 = 500;
/// At the start, three begin at the very beginning: for orphans, for the oldest, for its own.
const FIRST_LOOKS: i64 = 6;
/// Looks that are counted.
const LOOKS: i64 = 15;

async fn work(database: &Database) -> TableWork {
    TableWork::of(database, "open_attempts").await
}

#[tokio::test]
async fn what_a_held_snapshot_keeps_from_going_is_not_walked_over_each_second() {
    let passed = i64::try_from(scale(200_000, 20_000)).unwrap();
    let database = Database::create(payment::migrations()).await;
    // It would find nothing to take away, and touch every page for that.
    let quiet = "alter table open_attempts set (autovacuum_enabled = false)";
    sqlx::query(quiet).execute(&mut database.as_owner().await).await.unwrap();
    let mut dump = PgConnection::connect(database.settings.database_url.expose_secret()).await.unwrap();
    let mut snapshot = dump.begin_with("begin isolation level repeatable read").await.unwrap();
    sqlx::query("select from open_attempts").execute(&mut *snapshot).await.unwrap();

    let ended = "insert into open_attempts (attempt_id, customer_id, holder, due_at)
                 select (lpad(to_hex((extract(epoch from now() - interval '1 hour') * 1000)::bigint), 12, '0')
                          || '7000' || '8' || lpad(to_hex(number), 15, '0'))::uuid, gen_random_uuid(), gen_random_uuid(), now() - interval '1 hour'
                 from generate_series(1, $1) as number";
    sqlx::query(ended).bind(passed).execute(&database.pool).await.unwrap();
    sqlx::query("delete from open_attempts").execute(&database.pool).await.unwrap();
    let mut shop = Shop::without_service_on(database).await;
    shop.start().await;
    let (before, database) = (work(&shop.database).await, &shop.database);
    let whole = eventually("each kind of look at the very beginning", || async {
        let work = work(database).await;
        (work.pages >= before.pages + passed / ROWS_OF_A_PAGE && work.looks >= before.looks + FIRST_LOOKS)
            .then_some(work)
    })
    .await;
    let (looks, pages) = eventually("some more looks", || async {
        let work = work(database).await;
        (work.looks >= whole.looks + LOOKS).then_some((work.looks - whole.looks, work.pages - whole.pages))
    })
    .await;
    figure("pages that a look for attempts that nobody is at touches beside a dump", pages / looks);
    assert!(pages <= looks * PAGES, "{pages} pages in {looks} looks");

    let wanted = shop.wanted(&shop.customer(), Some("tok_success"));
    shop.publish(Event::PaymentRequested(wanted.clone())).await;
    shop.reaches(wanted.payment_id, "captured").await;
    snapshot.rollback().await.unwrap();
}
