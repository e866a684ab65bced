//! An order service to ask, and the other services' parts in its stories.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::Query;
use axum::routing::get;
use axum::{Json, Router};
use clap::{Args as _, FromArgMatches as _};
use ecommerce_contract::catalogue::{self, Orderable};
use ecommerce_contract::{Envelope, Event, Service};
use ecommerce_process::{App, Host, Settings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Answer, Broker, Client, Database, Keys, Link, document, eventually, unique_name};
use ecommerce_types::{Clock, Money, OrderId, ProductId, Role};
use order::Config;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One running order service with stores of its own.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) broker: Broker,
    pub(crate) database: Database,
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
    shutdown: Shutdown,
    running: Option<JoinHandle<()>>,
    catalogue: Arc<Mutex<Vec<Orderable>>>,
    catalogue_address: SocketAddr,
    pub(crate) to_postgres: Link,
    pub(crate) to_broker: Link,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_on(Database::create(order::migrations()).await).await
    }

    pub(crate) async fn open_on(database: Database) -> Self {
        let broker = Broker::create().await;
        let keys = Keys::create();
        let clock = Clock::manual(Clock::system().now());
        let catalogue = Arc::new(Mutex::new(Vec::new()));
        let catalogue_address = serve_catalogue(catalogue.clone()).await;
        let shutdown = Shutdown::new();
        let mut config = config(&database, &broker, &keys, catalogue_address);
        let to_postgres = Link::to(config.postgres.database_url.expose_secret()).await;
        let to_broker = Link::to(config.rabbit.amqp_url.expose_secret()).await;
        config.postgres.database_url = to_postgres.url.to_string().into();
        config.rabbit.amqp_url = to_broker.url.to_string().into();
        let app = build(config, &clock, &shutdown).await;
        let address = app.http_address().unwrap();
        let running = tokio::spawn(async move { app.run().await.unwrap() });
        broker.ready().await;
        Self {
            address,
            broker,
            database,
            keys,
            clock,
            shutdown,
            running: Some(running),
            catalogue,
            catalogue_address,
            to_postgres,
            to_broker,
        }
    }

    /// One more replica on the same stores.
    pub(crate) async fn replica(&self) {
        let config = config(&self.database, &self.broker, &self.keys, self.catalogue_address);
        let app = build(config, &self.clock, &self.shutdown).await;
        tokio::spawn(async move { app.run().await.unwrap() });
    }

    /// One more replica, whose stores are nowhere; answers where its health is.
    pub(crate) async fn open_away_from_its_stores(&self) -> SocketAddr {
        let mut config = config(&self.database, &self.broker, &self.keys, self.catalogue_address);
        config.postgres.database_url = "postgres://127.0.0.1:1/order".into();
        config.rabbit.amqp_url = "amqp://127.0.0.1:1".into();
        let host = Host::bind(&Settings::for_tests(), self.clock.clone(), self.shutdown.clone()).unwrap();
        let app = order::build(config, host).await.unwrap();
        let health = app.operations_address().unwrap();
        tokio::spawn(app.run());
        health
    }

    /// Ends the first replica, as a rollout does.
    pub(crate) async fn stop(mut self) -> Self {
        self.shutdown.stop();
        if let Some(running) = self.running.take() {
            running.await.unwrap();
        }
        self.shutdown = Shutdown::new();
        self
    }

    pub(crate) fn customer(&self) -> Client {
        Client::person(self.address, &self.keys, Role::Customer).with_document(document())
    }

    pub(crate) fn staff(&self) -> Client {
        Client::person(self.address, &self.keys, Role::Staff).with_document(document())
    }

    /// Puts a product on sale for 12.50 €.
    pub(crate) fn sell_a_mug(&self) -> ProductId {
        self.sell(1250, "EUR")
    }

    pub(crate) fn sell(&self, amount: i64, currency: &str) -> ProductId {
        let id = ProductId::new(&self.clock);
        let price = Money::new(amount, currency.parse().unwrap()).unwrap();
        let sku = format!("SKU-{id}").try_into().unwrap();
        self.catalogue.lock().unwrap().push(Orderable { id, sku, name: "Mug".to_owned(), price });
        id
    }

    /// Puts a product on sale under this sku.
    pub(crate) fn sell_as(&self, sku: &str) -> ProductId {
        let id = ProductId::new(&self.clock);
        let price = Money::new(1250, "EUR".parse().unwrap()).unwrap();
        let sku = sku.parse().unwrap();
        self.catalogue.lock().unwrap().push(Orderable { id, sku, name: "Mug".to_owned(), price });
        id
    }

    pub(crate) fn archive(&self, id: ProductId) {
        self.catalogue.lock().unwrap().retain(|product| product.id != id);
    }

    /// Places an order for two mugs.
    pub(crate) async fn order(&self, customer: &Client) -> OrderId {
        let mug = self.sell_a_mug();
        let answer = place(customer, &json!({ "items": [{ "product_id": mug, "quantity": 2 }] })).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let id = answer.body["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(self.published_to("product").await.event.order_id(), id, "order.placed");
        id
    }

    /// Another service publishes something.
    pub(crate) async fn publish(&self, event: Event) -> Envelope {
        let envelope = Envelope::new(&self.clock, Some("r-1".to_owned()), event);
        self.broker.publish(&envelope).await;
        envelope
    }

    /// The next thing that another service is published.
    pub(crate) async fn published_to(&self, reader: &str) -> Envelope {
        self.broker.next(reader).await
    }

    /// Waits until the order stands there.
    pub(crate) async fn reaches(&self, customer: &Client, id: OrderId, status: &str) -> Value {
        eventually(&format!("order reaches {status}"), || async {
            let answer = customer.get(&format!("/api/v1/orders/{id}")).await;
            (answer.body["status"] == status).then_some(answer.body)
        })
        .await
    }

    pub(crate) async fn count_orders(&self) -> i64 {
        sqlx::query_scalar("select count(*) from orders").fetch_one(&self.database.pool).await.unwrap()
    }
}

fn document() -> Value {
    document::parse(order::openapi())
}

/// Places an order under a new key.
pub(crate) async fn place(customer: &Client, body: &Value) -> Answer {
    customer.with_idempotency_key(unique_name()).post("/api/v1/orders", body.clone()).await
}

async fn build(config: Config, clock: &Clock, shutdown: &Shutdown) -> App {
    let host = Host::bind(&Settings::for_tests(), clock.clone(), shutdown.clone()).unwrap();
    order::build(config, host).await.unwrap()
}

fn config(database: &Database, broker: &Broker, keys: &Keys, product: SocketAddr) -> Config {
    let command = Config::augment_args(clap::Command::new("order"));
    let arguments = [
        "order".to_owned(),
        format!("--api-key-hashes-file={}", keys.known().api_key_hashes_file.display()),
        "--database-url=postgres://set-below".to_owned(),
        "--amqp-url=amqp://set-below".to_owned(),
        format!("--product-url=http://{product}"),
        format!("--edge-keys-directory={}", keys.sent_by(Service::Order).edge_keys_directory.display()),
    ];
    let mut config = Config::from_arg_matches(&command.get_matches_from(arguments)).unwrap();
    config.postgres = database.settings.clone();
    config.rabbit = broker.settings(Service::Order);
    config
}

/// Product's part: answers `GET /internal/products?ids=` with what is on sale.
async fn serve_catalogue(on_sale: Arc<Mutex<Vec<Orderable>>>) -> SocketAddr {
    #[derive(serde::Deserialize)]
    struct Asked {
        ids: String,
    }
    let handler = move |Query(asked): Query<Asked>| async move {
        let on_sale = on_sale.lock().unwrap();
        Json(on_sale.iter().filter(|product| asked.ids.contains(&product.id.to_string())).cloned().collect::<Vec<_>>())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route(catalogue::PATH, get(handler));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}
