//! A product service for one test, with everything of its own.

use std::net::SocketAddr;

use ecommerce_contract::events::{ClosedAs, OrderClosed, OrderFulfilled, OrderLine, OrderPaid, OrderPlaced};
use ecommerce_contract::{Envelope, Event, Service, headers};
use ecommerce_process::{Host, Settings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Answer, Broker, Client, Database, Keys, document, eventually, redis};
use ecommerce_types::{Clock, OrderId, ProductId, Quantity, Role};
use product::Config;
use reqwest::Method;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// One or more running replicas of the service, and who asks them.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) operations_address: SocketAddr,
    pub(crate) database: Database,
    pub(crate) broker: Broker,
    pub(crate) anonymous: Client,
    pub(crate) customer: Client,
    pub(crate) staff: Client,
    pub(crate) order: Client,
    pub(crate) clock: Clock,
    config: Config,
    shutdown: Shutdown,
}

impl Shop {
    /// A running service.
    pub(crate) async fn open() -> Self {
        Self::open_with(redis::url()).await
    }

    /// A running service whose cache is at `redis_url`.
    pub(crate) async fn open_with(redis_url: String) -> Self {
        Self::open_at(Database::create(product::migrations()).await, redis_url, Clock::system()).await
    }

    /// A running service whose clock is moved by the test.
    pub(crate) async fn open_with_a_clock() -> Self {
        let database = Database::create(product::migrations()).await;
        Self::open_at(database, redis::url(), Clock::manual(Clock::system().now())).await
    }

    /// A running service on this database.
    pub(crate) async fn open_on(database: Database) -> Self {
        Self::open_at(database, redis::url(), Clock::system()).await
    }

    async fn open_at(database: Database, redis_url: String, clock: Clock) -> Self {
        let broker = Broker::create().await;
        let keys = Keys::create();
        let config = Config {
            api_keys: keys.known(),
            postgres: database.settings.clone(),
            rabbit: broker.settings(Service::Product),
            redis: ecommerce_redis::Settings {
                redis_url: redis_url.into(),
                redis_password: None,
                redis_ca_file: None,
                redis_prefix: redis::prefix(),
            },
        };
        let shutdown = Shutdown::new();
        let (address, operations_address) = start(&config, &clock, &shutdown).await;
        broker.ready().await;
        let document = document::parse(product::openapi());
        Self {
            address,
            operations_address,
            database,
            broker,
            anonymous: Client::anonymous(address, &keys).with_document(document.clone()),
            customer: Client::person(address, &keys, Role::Customer).with_document(document.clone()),
            staff: Client::person(address, &keys, Role::Staff).with_document(document),
            order: Client::without_key(address).with(headers::API_KEY, keys.of(Service::Order)),
            clock,
            config,
            shutdown,
        }
    }

    /// One more replica, whose stores are nowhere; answers where its health is.
    pub(crate) async fn open_away_from_its_stores(&self) -> SocketAddr {
        let mut config = self.config.clone();
        config.postgres.database_url = "postgres://127.0.0.1:1/product".into();
        config.rabbit.amqp_url = "amqp://127.0.0.1:1".into();
        config.redis.redis_url = "redis://127.0.0.1:1".into();
        start(&config, &self.clock, &self.shutdown).await.1
    }

    /// One more replica beside those that run.
    pub(crate) async fn add_replica(&self) {
        start(&self.config, &self.clock, &self.shutdown).await;
    }

    /// A new product with this stock.
    pub(crate) async fn product(&self, on_hand: i64) -> ProductId {
        let sku = format!("MUG-{}", self.clock.new_id());
        let made = self.staff.post("/api/v1/products", json!({ "sku": sku, "name": "Mug", "price": euro(1250) })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let id: ProductId = made.body["id"].as_str().unwrap().parse().unwrap();
        if on_hand > 0 {
            let set = self.set_stock(id, on_hand).await;
            assert_eq!(set.status, 200, "{}", set.body);
        }
        id
    }

    /// A new product with this stock, which Redis holds: whoever changes it has to say so.
    pub(crate) async fn cached_product(&self, on_hand: i64) -> ProductId {
        let id = self.product(0).await;
        // Behind the service's back, so that nothing is marked as changed.
        sqlx::query("update stock set on_hand = $2 where product_id = $1")
            .bind(id.0)
            .bind(on_hand)
            .execute(&self.database.pool)
            .await
            .unwrap();
        eventually("the product is read from Redis", || async {
            let written: i64 =
                sqlx::query_scalar("update products set version = version + 1 where id = $1 returning version")
                    .bind(id.0)
                    .fetch_one(&self.database.pool)
                    .await
                    .unwrap();
            let read = self.anonymous.get(&format!("/api/v1/products/{id}")).await.body["version"].as_i64().unwrap();
            (read < written).then_some(())
        })
        .await;
        id
    }

    pub(crate) async fn set_stock(&self, id: ProductId, on_hand: i64) -> Answer {
        let body = json!({ "on_hand": on_hand }).to_string();
        self.staff.send(Method::PUT, &format!("/api/v1/products/{id}/stock"), Some(body)).await
    }

    /// The stock as staff see it: on hand and reserved.
    pub(crate) async fn stock(&self, id: ProductId) -> (i64, i64) {
        let stock = self.staff.get(&format!("/api/v1/products/{id}/stock")).await.body;
        (stock["on_hand"].as_i64().unwrap(), stock["reserved"].as_i64().unwrap())
    }

    pub(crate) async fn eventually_stock(&self, id: ProductId, on_hand: i64, reserved: i64) {
        let what = format!("{on_hand} on hand and {reserved} reserved");
        eventually(&what, || async { (self.stock(id).await == (on_hand, reserved)).then_some(()) }).await;
    }

    /// The stock as everybody sees it.
    pub(crate) async fn available(&self, id: ProductId) -> i64 {
        let product = self.anonymous.get(&format!("/api/v1/products/{id}")).await;
        product.body["stock"]["available"].as_i64().unwrap()
    }

    /// How many orders are known.
    pub(crate) async fn known(&self) -> i64 {
        sqlx::query_scalar("select count(*) from reservations").fetch_one(&self.database.pool).await.unwrap()
    }

    pub(crate) fn envelope(&self, event: Event) -> Envelope {
        Envelope::new(&self.clock, Some("a-request".to_owned()), event)
    }

    pub(crate) fn placed(&self, order_id: OrderId, lines: &[(ProductId, i64)]) -> Envelope {
        let line = |(product_id, quantity): &(ProductId, i64)| OrderLine {
            product_id: *product_id,
            quantity: Quantity::new(*quantity).unwrap(),
        };
        let (lines, pay_by) = (lines.iter().map(line).collect(), pay_by(order_id));
        self.envelope(Event::OrderPlaced(OrderPlaced { order_id, lines, pay_by }))
    }

    pub(crate) fn paid(&self, order_id: OrderId) -> Envelope {
        self.envelope(Event::OrderPaid(OrderPaid { order_id }))
    }

    pub(crate) fn closed(&self, order_id: OrderId) -> Envelope {
        let (outcome, pay_by) = (ClosedAs::Cancelled, pay_by(order_id));
        self.envelope(Event::OrderClosed(OrderClosed { order_id, outcome, payment_id: None, pay_by }))
    }

    pub(crate) fn fulfilled(&self, order_id: OrderId) -> Envelope {
        self.envelope(Event::OrderFulfilled(OrderFulfilled { order_id }))
    }

    /// A new order's id.
    pub(crate) fn order_id(&self) -> OrderId {
        OrderId::new(&self.clock)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

/// A quarter of an hour after the placing, which the id tells.
pub(crate) fn pay_by(order_id: OrderId) -> OffsetDateTime {
    let (seconds, nanoseconds) = order_id.0.get_timestamp().unwrap().to_unix();
    let placed = OffsetDateTime::from_unix_timestamp(seconds.try_into().unwrap()).unwrap();
    placed + Duration::nanoseconds(nanoseconds.into()) + Duration::minutes(15)
}

pub(crate) fn euro(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

async fn start(config: &Config, clock: &Clock, shutdown: &Shutdown) -> (SocketAddr, SocketAddr) {
    let host = Host::bind(&Settings::for_tests(), clock.clone(), shutdown.clone()).unwrap();
    let app = product::build(config.clone(), host).await.unwrap();
    let addresses = (app.http_address().unwrap(), app.operations_address().unwrap());
    tokio::spawn(async move { app.run().await.unwrap() });
    addresses
}
