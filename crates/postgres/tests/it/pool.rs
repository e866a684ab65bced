//! A server that dies and comes back costs the requests that it was at, and no later ones.

use std::time::{Duration, Instant};

use ecommerce_postgres::Pool;
use ecommerce_testing::{Database, Link, eventually};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

const CONNECTIONS: u32 = 8;
/// Longer than a connection in use rests; a server that dies is away for longer.
const AWAY: Duration = Duration::from_millis(1_100);

/// One statement on each connection of the pool.
async fn use_all(pool: &Pool) -> Result<(), sqlx::Error> {
    let mut running = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let pool = pool.clone();
        running.spawn(async move { sqlx::query("select pg_sleep(0.1)").execute(&pool).await });
    }
    running.join_all().await.into_iter().try_for_each(|answer| answer.map(drop))
}

#[tokio::test]
async fn connections_that_died_while_they_rested_cost_no_request() {
    let database = Database::create(sqlx::migrate!("../../migrations/order")).await;
    let link = Link::to(database.settings.database_url.expose_secret()).await;
    let mut settings = database.settings.clone();
    settings.database_url = link.url.to_string().into();
    let pool = Pool::new(&settings, "it-rests").unwrap();
    use_all(&pool).await.unwrap();
    let rests_since = Instant::now();

    link.cut();
    eventually("the server has let go of them", || async {
        let theirs = "select count(*) from pg_stat_activity where application_name = 'it-rests' and datname = current_database()";
        let theirs: i64 = sqlx::query_scalar(theirs).fetch_one(&database.pool).await.unwrap();
        (theirs == 0).then_some(())
    })
    .await;
    link.mend();
    eventually("they have rested", || async { (rests_since.elapsed() > AWAY).then_some(()) }).await;
    use_all(&pool).await.unwrap();
}
