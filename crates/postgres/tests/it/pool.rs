//! A server that dies, or falls silent, costs the requests that it was at, and no later ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ecommerce_postgres::Pool;
use ecommerce_testing::{Database, Link, eventually};
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

const CONNECTIONS: usize = 8;
/// Longer than a connection in use rests; a server that dies is away for longer.
const AWAY: Duration = Duration::from_millis(1_100);
const SHORT: Duration = Duration::from_millis(100);

/// One statement on each connection of the pool, all of them lent at once.
async fn use_all(pool: &Pool) -> Result<(), sqlx::Error> {
    run_on_all(pool, "select 1").await
}

async fn run_on_all(pool: &Pool, statement: &'static str) -> Result<(), sqlx::Error> {
    let (all_are_lent, mut running) = (Arc::new(Barrier::new(CONNECTIONS)), JoinSet::new());
    for _ in 0..CONNECTIONS {
        let (pool, all_are_lent) = (pool.clone(), Arc::clone(&all_are_lent));
        running.spawn(async move {
            let work = async |connection: &mut PgConnection| {
                all_are_lent.wait().await;
                sqlx::query(statement).execute(connection).await.map(drop)
            };
            pool.run(work).await
        });
    }
    running.join_all().await.into_iter().collect()
}

/// A pool behind a wire, with all its connections open.
async fn open_pool(application: &str) -> (Database, Link, Pool) {
    let database = Database::create(sqlx::migrate!("../../migrations/order")).await;
    let link = Link::to(database.settings.database_url.expose_secret()).await;
    let mut settings = database.settings.clone();
    settings.database_url = link.url.to_string().into();
    let pool = Pool::new(&settings, application).unwrap();
    use_all(&pool).await.unwrap();
    (database, link, pool)
}

async fn rest() {
    let since = Instant::now();
    eventually("they have rested", || async { (since.elapsed() > AWAY).then_some(()) }).await;
}

#[tokio::test]
async fn connections_that_died_while_they_rested_cost_no_request() {
    let (database, link, pool) = open_pool("it-dies").await;
    link.cut();
    eventually("the server has let go of them", || async {
        let theirs =
            "select count(*) from pg_stat_activity where application_name = 'it-dies' and datname = current_database()";
        let theirs: i64 = sqlx::query_scalar(theirs).fetch_one(&database.pool).await.unwrap();
        (theirs == 0).then_some(())
    })
    .await;
    link.mend();
    rest().await;
    use_all(&pool).await.unwrap();
}

/// Asked one after the other, they would take longer than a request waits for a connection.
#[tokio::test]
async fn connections_that_fell_silent_while_they_rested_cost_no_request() {
    let (_database, link, pool) = open_pool("it-falls-silent").await;
    link.silence();
    rest().await;
    sqlx::query("select 1").execute(&pool).await.unwrap();
    use_all(&pool).await.unwrap();
}

#[tokio::test]
async fn a_statement_in_the_background_that_was_planned_on_an_empty_table_reads_no_full_one_from_end_to_end() {
    let database = Database::create(sqlx::migrate!("../../migrations/order")).await;
    let pool = Pool::for_background(&database.settings, "test").unwrap();
    let plan = pool.run(async |connection: &mut PgConnection| {
        for statement in [
            "prepare pay(uuid[]) as update open_orders set pay_by = null from unnest($1) as paid (id) where order_id = paid.id",
            "execute pay('{}')",
            "insert into open_orders (order_id, pay_by) select gen_random_uuid(), now() from generate_series(1, 10000)",
        ] {
            sqlx::raw_sql(statement).execute(&mut *connection).await?;
        }
        sqlx::query_scalar::<_, String>("explain execute pay('{}')").persistent(false).fetch_all(connection).await
    });
    let plan = plan.await.unwrap().join("\n");
    assert!(plan.contains("Index Scan using open_orders_pkey") && !plan.contains("Seq Scan"), "{plan}");
}

/// What came next would be done in its transaction, and go with it.
#[tokio::test]
async fn a_begin_that_nobody_waited_for_takes_nothing_with_it() {
    let (database, link, pool) = open_pool("it-is-left").await;
    link.clog();
    let nothing = async |_: &mut PgConnection| Ok::<_, sqlx::Error>(());
    assert!(timeout(SHORT, pool.transaction(nothing)).await.is_err());
    link.mend();
    let new = "insert into outbox (id, routing_key, body) values (gen_random_uuid(), 'order.paid', '{}')";
    sqlx::query(new).execute(&pool).await.unwrap();
    let committed: i64 = sqlx::query_scalar("select count(*) from outbox").fetch_one(&database.pool).await.unwrap();
    assert_eq!(committed, 1);
}

/// `read_only_sql_transaction`
const READ_ONLY: &str = "25006";

/// What the server of these connections says to a write once another has taken over from it. New connections are to the other.
async fn take_over(pool: &Pool) {
    run_on_all(pool, "set session characteristics as transaction read only").await.unwrap();
}

async fn write(pool: &Pool) -> Result<(), sqlx::Error> {
    let new = "insert into outbox (id, routing_key, body) values (gen_random_uuid(), 'order.paid', '{}')";
    sqlx::query(new).execute(pool).await.map(drop)
}

#[tokio::test]
async fn one_write_that_a_server_refuses_which_no_longer_leads_leaves_it_with_all_connections() {
    let (_database, _link, pool) = open_pool("it-follows").await;
    take_over(&pool).await;
    let refused = write(&pool).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), READ_ONLY);
    assert!(ecommerce_postgres::is_transient(&refused));
    for _ in 0..CONNECTIONS * 2 {
        write(&pool).await.unwrap();
    }
    use_all(&pool).await.unwrap();
}

/// Where nothing but reads comes, or nothing at all, nobody is refused a write to find it out by.
#[tokio::test]
async fn a_server_that_no_longer_leads_is_left_by_connections_that_rested() {
    let (_database, _link, pool) = open_pool("it-follows-at-rest").await;
    take_over(&pool).await;
    rest().await;
    write(&pool).await.unwrap();
}

/// The same by a transaction, which is rolled back before it is told.
#[tokio::test]
async fn a_transaction_that_a_server_refuses_which_no_longer_leads_is_the_last_there() {
    let (_database, _link, pool) = open_pool("it-follows-in-a-transaction").await;
    take_over(&pool).await;
    let work = async |connection: &mut PgConnection| {
        let new = "insert into outbox (id, routing_key, body) values (gen_random_uuid(), 'order.paid', '{}')";
        sqlx::query(new).execute(connection).await.map(drop)
    };
    assert!(pool.transaction(work).await.is_err());
    pool.transaction(work).await.unwrap();
}

/// What a caller begins by hand and leaves open fails whoever comes next, and says nothing of the server.
#[tokio::test]
async fn a_transaction_that_is_left_open_costs_its_own_connection_and_no_other() {
    let (database, _link, pool) = open_pool("it-is-left-open").await;
    let pids = async || {
        let open = "select array_agg(pid order by pid) from pg_stat_activity
                    where application_name = 'it-is-left-open' and datname = current_database()";
        sqlx::query_scalar::<_, Vec<i32>>(open).fetch_one(&database.pool).await.unwrap()
    };
    let before = pids().await;
    let work = async |connection: &mut PgConnection| {
        sqlx::raw_sql("begin").execute(&mut *connection).await?;
        sqlx::query("select 1 / 0").execute(connection).await.map(drop)
    };
    assert!(pool.run(work).await.is_err());
    write(&pool).await.unwrap();
    use_all(&pool).await.unwrap();
    let kept = pids().await.iter().filter(|pid| before.contains(pid)).count();
    assert_eq!((before.len(), kept), (CONNECTIONS, CONNECTIONS - 1));
}
