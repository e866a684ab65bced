//! A service is ready once it has reached each of its stores, and then whatever becomes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use ecommerce_contract::Service;
use ecommerce_courier::{Connections, Settings as Rabbit};
use ecommerce_postgres::Settings as Postgres;
use ecommerce_process::{Host, Settings};
use ecommerce_redis::{Redis, Settings as RedisSettings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{ANY_PASSWORD, Answer, Broker, Client, Database, Link, eventually, redis, throughout};
use ecommerce_types::Clock;
use secrecy::ExposeSecret as _;
use url::Url;

/// Three stores with the settings that open them.
struct Stores {
    postgres: Postgres,
    rabbit: Rabbit,
    redis: RedisSettings,
    _broker: Broker,
}

impl Stores {
    async fn new() -> Self {
        let migrator = sqlx::migrate!("../../migrations/order");
        let (database, broker) = tokio::join!(Database::with_password(migrator, ANY_PASSWORD), Broker::create());
        let user = redis::user(ANY_PASSWORD).await;
        let mut url = Url::parse(&redis::url()).unwrap();
        url.set_username(&user).unwrap();
        Self {
            postgres: database.settings,
            rabbit: broker.with_password(Service::Order, ANY_PASSWORD).await,
            redis: RedisSettings {
                redis_url: url.to_string().into(),
                redis_password: Some(ANY_PASSWORD.into()),
                redis_ca_file: None,
                redis_prefix: format!("{user}:"),
            },
            _broker: broker,
        }
    }

    /// The same behind wires.
    async fn behind_wires(&mut self) -> [Link; 3] {
        let urls = [&mut self.postgres.database_url, &mut self.rabbit.amqp_url, &mut self.redis.redis_url];
        let mut links = Vec::new();
        for url in urls {
            let link = Link::to(url.expose_secret()).await;
            *url = link.url.to_string().into();
            links.push(link);
        }
        links.try_into().unwrap()
    }

    /// A service that needs all three.
    async fn serve(&self) -> Running {
        let shutdown = Shutdown::new();
        let host = Host::bind(&Settings::for_tests(), Clock::system(), shutdown.clone()).unwrap();
        let tasks = host.tasks();
        let pool = ecommerce_postgres::Pool::new(&self.postgres, "test").unwrap();
        let (rabbit, redis) = (Connections::to(&self.rabbit).unwrap(), Redis::connect(&self.redis).await.unwrap());
        let tries: [Arc<AtomicU32>; 3] = Default::default();
        let [to_postgres, to_rabbit, to_redis] = tries.clone();
        let app = host
            .called_by_clients(0, Router::new(), tasks)
            .ready_once_reached("PostgreSQL", move || {
                to_postgres.fetch_add(1, Ordering::Relaxed);
                ecommerce_postgres::reach(pool.clone())
            })
            .ready_once_reached("RabbitMQ", move || {
                to_rabbit.fetch_add(1, Ordering::Relaxed);
                rabbit.clone().reach()
            })
            .ready_once_reached("Redis", move || {
                to_redis.fetch_add(1, Ordering::Relaxed);
                redis.clone().reach()
            });
        let health = Client::without_key(app.operations_address().unwrap());
        tokio::spawn(app.run());
        Running { health, tries, shutdown }
    }
}

struct Running {
    health: Client,
    /// How often each store was tried.
    tries: [Arc<AtomicU32>; 3],
    shutdown: Shutdown,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

fn says(answer: &Answer) -> (u16, &str) {
    (answer.status, std::str::from_utf8(&answer.bytes).unwrap())
}

#[tokio::test]
async fn a_service_whose_passwords_are_wrong_is_never_ready_and_says_what_it_has_not_reached() {
    let mut stores = Stores::new().await;
    stores.postgres.database_password = Some(ANY_PASSWORD.trim().into());
    stores.rabbit.amqp_password = Some(ANY_PASSWORD.trim().into());
    stores.redis.redis_password = Some(ANY_PASSWORD.trim().into());
    let service = stores.serve().await;
    eventually("each store was tried some times", || async {
        let answer = service.health.get("/readyz").await;
        assert_eq!(says(&answer), (503, "not reached yet: PostgreSQL, RabbitMQ, Redis\n"));
        service.tries.iter().all(|tries| tries.load(Ordering::Relaxed) > 2).then_some(())
    })
    .await;
    assert_eq!(service.health.get("/livez").await.status, 200, "another start would mend nothing");
}

#[tokio::test]
async fn a_service_whose_stores_come_later_turns_ready_with_the_last_of_them() {
    let mut stores = Stores::new().await;
    let links = stores.behind_wires().await;
    links.iter().for_each(Link::cut);
    let service = stores.serve().await;
    assert_eq!(says(&service.health.get("/readyz").await), (503, "not reached yet: PostgreSQL, RabbitMQ, Redis\n"));
    let [to_postgres, to_rabbit, to_redis] = &links;
    for (link, then) in [
        (to_rabbit, (503, "not reached yet: PostgreSQL, Redis\n")),
        (to_redis, (503, "not reached yet: PostgreSQL\n")),
        (to_postgres, (200, "ready\n")),
    ] {
        link.mend();
        eventually(then.1, || async { (says(&service.health.get("/readyz").await) == then).then_some(()) }).await;
    }
}

#[tokio::test]
async fn a_service_whose_stores_go_away_later_stays_ready() {
    let mut stores = Stores::new().await;
    let links = stores.behind_wires().await;
    let service = stores.serve().await;
    eventually("it is ready", || async { (service.health.get("/readyz").await.status == 200).then_some(()) }).await;
    let tries = service.tries.each_ref().map(|tries| tries.load(Ordering::Relaxed));
    links.iter().for_each(Link::cut);
    let stays = || async { service.health.get("/readyz").await.status == 200 };
    throughout(Duration::from_secs(3), "it is ready", stays).await;
    assert_eq!(service.tries.each_ref().map(|tries| tries.load(Ordering::Relaxed)), tries, "nobody asks any more");
}

/// What was reached once need not be there when the last is.
#[tokio::test]
async fn a_store_that_was_reached_and_went_away_holds_nothing_up() {
    let mut stores = Stores::new().await;
    let [to_postgres, to_rabbit, to_redis] = stores.behind_wires().await;
    to_redis.cut();
    let service = stores.serve().await;
    let others = (503, "not reached yet: Redis\n");
    eventually("all but one", || async { (says(&service.health.get("/readyz").await) == others).then_some(()) }).await;
    to_postgres.cut();
    to_rabbit.cut();
    to_redis.mend();
    eventually("it is ready", || async { (service.health.get("/readyz").await.status == 200).then_some(()) }).await;
}
