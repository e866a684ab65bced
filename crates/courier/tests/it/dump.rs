//! A dump is held open: what leaves the outbox meanwhile is not gone from its pages.

use ecommerce_contract::Service;
use ecommerce_courier::Relay;
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Database, TableWork, eventually, figure, scale};
use ecommerce_types::Clock;
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};

use crate::{connections, order_paid, stores, unsent, write};

/// Pages of the outbox and of its index that a look of the sweep may touch, on average.
const PAGES: i64 = 10;
/// No page holds so many events: the whole pass at the start touches more than one for so many.
const EVENTS_OF_A_PAGE: i64 = 50;
/// Looks that are counted.
const LOOKS: i64 = 5;

async fn work(database: &Database) -> TableWork {
    TableWork::of(database, "outbox").await
}

#[tokio::test]
async fn what_a_held_snapshot_keeps_from_going_is_not_walked_over_again_and_again() {
    let passed = i32::try_from(scale(200_000, 2_000)).unwrap();
    let (broker, database) = stores().await;
    // It would find nothing to take away, and touch every page for that.
    let quiet = "alter table outbox set (autovacuum_enabled = false)";
    sqlx::query(quiet).execute(&mut database.as_owner().await).await.unwrap();
    let mut dump = PgConnection::connect(database.settings.database_url.expose_secret()).await.unwrap();
    let mut snapshot = dump.begin_with("begin isolation level repeatable read").await.unwrap();
    sqlx::query("select from outbox").execute(&mut *snapshot).await.unwrap();

    // As they were written in the hour before, and have been sent.
    let rows = "insert into outbox (id, routing_key, body)
                select (lpad(to_hex((extract(epoch from now() - interval '1 hour') * 1000)::bigint), 12, '0')
                        || '7000' || '8' || lpad(to_hex(number), 15, '0'))::uuid, 'order.paid', repeat('x', 300)
                from generate_series(1, $1) as number";
    let mut service = PgConnection::connect(database.settings.database_url.expose_secret()).await.unwrap();
    sqlx::query(rows).bind(passed).execute(&mut service).await.unwrap();
    sqlx::query("delete from outbox").execute(&mut service).await.unwrap();
    let session: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut service).await.unwrap();
    service.close().await.unwrap();
    // A session tells of the table before it tells of its index, and has told of both when it is gone.
    eventually("the server was told of it", || async {
        let here = sqlx::query("select from pg_stat_activity where pid = $1").bind(session);
        here.fetch_optional(&database.pool).await.unwrap().is_none().then_some(())
    })
    .await;
    let before = work(&database).await;
    assert_eq!(before.deleted, i64::from(passed));

    let connections = connections(&broker, Service::Order);
    let (relay, _outgoing) = Relay::new(connections, database.service_pool(), Clock::system());
    tokio::spawn(relay.run(Shutdown::new()));
    broker.ready().await;
    let whole = eventually("a whole pass", || async {
        let work = work(&database).await;
        (work.pages >= before.pages + before.deleted / EVENTS_OF_A_PAGE).then_some(work)
    })
    .await;
    let (looks, pages) = eventually("some more passes", || async {
        let work = work(&database).await;
        (work.looks >= whole.looks + LOOKS).then_some((work.looks - whole.looks, work.pages - whole.pages))
    })
    .await;
    figure("pages that a look into the outbox touches beside a dump", pages / looks);
    assert!(pages <= looks * PAGES, "{pages} pages in {looks} looks");

    let event = order_paid();
    write(&database, std::slice::from_ref(&event)).await;
    assert_eq!(broker.next("product").await, event, "what is left is found all the same");
    eventually("the outbox is empty", || async { (unsent(&database).await == 0).then_some(()) }).await;
    snapshot.rollback().await.unwrap();
}
