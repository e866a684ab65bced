//! Order, product and payment in one process, each with wires of its own to its stores.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use clap::FromArgMatches;
use ecommerce_contract::{Envelope, Service};
use ecommerce_process::{App, Host, Settings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Broker, Client, Database, Keys, Link, database, redis, unique_name};
use ecommerce_types::{Clock, ProductId, Role};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::RwLock;
use tokio::time::{interval, timeout};
use url::Url;
use uuid::Uuid;

use crate::handled;

/// How many mugs there are.
pub(crate) const MUGS: i64 = 100_000;
/// How long a customer insists.
const PATIENCE: Duration = Duration::from_mins(2);
/// As the services ask for it (`Retry-After`).
const AGAIN: Duration = Duration::from_secs(1);
/// Where every published event goes too.
const HEARD: &str = "heard";
/// Keeps the id of every event that was committed.
const KEEP_WRITTEN: &str = "
    create table written (id uuid primary key);
    create function keep_written() returns trigger language plpgsql as
      $$ begin insert into written values (new.id); return new; end $$;
    create trigger keep_written after insert on outbox for each row execute function keep_written();";

/// What a service keeps something in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Postgres,
    Rabbitmq,
    Redis,
}

/// What may be otherwise than in a usual shop.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    /// How many seconds customers have to pay.
    pub(crate) seconds_to_pay: u32,
    pub(crate) clock: Clock,
    /// How long the provider takes to answer.
    pub(crate) provider_takes: Duration,
    /// Whether somebody deletes queues, and what is in them. Then the test has none of its own for whatever is published: what goes into
    /// that one is never sent again, though no other queue has taken it.
    pub(crate) loses_queues: bool,
}

impl Conditions {
    /// A usual shop, but for the time to pay.
    pub(crate) fn with_seconds_to_pay(seconds_to_pay: u32) -> Self {
        Self { seconds_to_pay, clock: Clock::system(), provider_takes: Duration::ZERO, loses_queues: false }
    }
}

/// Metrics are the process's: a test that reads one runs while no other shop does.
static ALONE: RwLock<()> = RwLock::const_new(());

/// What a shop holds of [`ALONE`].
type Turn = Box<dyn Send + Sync>;

/// A shop that sells one kind of mug.
pub(crate) struct Shop {
    pub(crate) conditions: Conditions,
    pub(crate) databases: BTreeMap<Service, Database>,
    pub(crate) broker: Broker,
    mug: ProductId,
    heard: HashSet<Uuid>,
    way: Url,
    wires: Vec<(Service, Store, Link)>,
    order: SocketAddr,
    product_operations: SocketAddr,
    keys: Keys,
    shutdown: Shutdown,
    _turn: Turn,
}

impl Shop {
    /// One whose customers have so many seconds to pay.
    pub(crate) async fn open(seconds_to_pay: u32) -> Self {
        Self::open_with(Conditions::with_seconds_to_pay(seconds_to_pay)).await
    }

    /// One under these conditions.
    pub(crate) async fn open_with(conditions: Conditions) -> Self {
        let server = database::server();
        Self::start(&server, &server.parse().unwrap(), conditions, Box::new(ALONE.read().await)).await
    }

    /// One beside which there is no other in this process.
    pub(crate) async fn open_alone(conditions: Conditions) -> Self {
        let server = database::server();
        Self::start(&server, &server.parse().unwrap(), conditions, Box::new(ALONE.write().await)).await
    }

    /// One with its databases on this server, which the services reach by another way.
    pub(crate) async fn open_on(server: &str, way: &Url, seconds_to_pay: u32) -> Self {
        let conditions = Conditions::with_seconds_to_pay(seconds_to_pay);
        Self::start(server, way, conditions, Box::new(ALONE.read().await)).await
    }

    async fn start(server: &str, way: &Url, conditions: Conditions, turn: Turn) -> Self {
        handled::listen();
        let (order, product, payment, broker) = tokio::join!(
            Database::create_on(server, order::migrations()),
            Database::create_on(server, product::migrations()),
            Database::create_on(server, payment::migrations()),
            Broker::create(),
        );
        let databases: BTreeMap<_, _> =
            [(Service::Order, order), (Service::Product, product), (Service::Payment, payment)].into();
        for database in databases.values() {
            keep_written(database).await;
        }
        let mut shop = Self {
            conditions,
            databases,
            broker,
            mug: ProductId(Uuid::nil()),
            heard: HashSet::new(),
            way: way.clone(),
            wires: Vec::new(),
            order: SocketAddr::from(([127, 0, 0, 1], 0)),
            product_operations: SocketAddr::from(([127, 0, 0, 1], 0)),
            keys: Keys::create(),
            shutdown: Shutdown::new(),
            _turn: turn,
        };
        let product = shop.start_product().await;
        shop.start_payment().await;
        shop.start_order(product).await;
        shop.broker.ready().await;
        if !shop.conditions.loses_queues {
            shop.broker.hear_all(HEARD).await;
        }
        shop.mug = shop.stock_mugs(product).await;
        shop
    }

    async fn start_product(&mut self) -> SocketAddr {
        let to_redis = self.wire(Service::Product, Store::Redis, &redis::url().into()).await;
        let redis =
            [format!("--redis-url={}", to_redis.expose_secret()), format!("--redis-prefix={}", redis::prefix())];
        let mut config: product::Config = self.config(&redis);
        config.postgres = self.wire_to_postgres(Service::Product).await;
        config.rabbit.amqp_url = self.wire_to_broker(Service::Product).await;
        let app = product::build(config, self.host()).await.unwrap();
        let address = app.http_address().unwrap();
        self.product_operations = app.operations_address().unwrap();
        run(app);
        address
    }

    async fn start_payment(&mut self) {
        let takes = self.conditions.provider_takes.as_millis();
        let mut config: payment::Config = self.config(&[format!("--simulator-request-delay-milliseconds={takes}")]);
        config.postgres = self.wire_to_postgres(Service::Payment).await;
        config.rabbit.amqp_url = self.wire_to_broker(Service::Payment).await;
        run(payment::build(config, self.host()).await.unwrap());
    }

    async fn start_order(&mut self, product: SocketAddr) {
        let mut config: order::Config = self.config(&[
            format!("--product-url=http://{product}"),
            format!("--edge-keys-directory={}", self.keys.sent_by(Service::Order).edge_keys_directory.display()),
            format!("--payment-deadline-seconds={}", self.conditions.seconds_to_pay),
        ]);
        config.postgres = self.wire_to_postgres(Service::Order).await;
        config.rabbit.amqp_url = self.wire_to_broker(Service::Order).await;
        let app = order::build(config, self.host()).await.unwrap();
        self.order = app.http_address().unwrap();
        run(app);
    }

    /// Tells product and payment again how orders ended, as a person does with order's binary.
    pub(crate) async fn repeat(&self, since: OffsetDateTime) {
        let since = format!("--since={}", since.format(&Rfc3339).unwrap());
        let database = self.databases[&Service::Order].settings.database_url.expose_secret();
        let command = (order::REPEAT.arguments)(clap::Command::new("repeat"));
        let matches = command.get_matches_from(["repeat", &since, &format!("--database-url={database}")]);
        (order::REPEAT.run)(matches).await.unwrap();
    }

    fn config<C: clap::Args + FromArgMatches>(&self, more: &[String]) -> C {
        let usual = [
            "service".to_owned(),
            format!("--api-key-hashes-file={}", self.keys.known().api_key_hashes_file.display()),
            "--database-url=postgres://set-later".to_owned(),
            "--amqp-url=amqp://set-later".to_owned(),
        ];
        let command = C::augment_args(clap::Command::new("service"));
        C::from_arg_matches(&command.get_matches_from(usual.iter().chain(more))).unwrap()
    }

    fn host(&self) -> Host {
        Host::bind(&Settings::for_tests(), self.conditions.clock.clone(), self.shutdown.clone()).unwrap()
    }

    async fn wire_to_postgres(&mut self, service: Service) -> ecommerce_postgres::Settings {
        let settings = self.databases[&service].settings.clone();
        let mut url: Url = settings.database_url.expose_secret().parse().unwrap();
        url.set_host(self.way.host_str()).unwrap();
        url.set_port(self.way.port()).unwrap();
        url.set_query(self.way.query());
        let database_url = self.wire(service, Store::Postgres, &url.to_string().into()).await;
        ecommerce_postgres::Settings { database_url, ..settings }
    }

    async fn wire_to_broker(&mut self, service: Service) -> SecretString {
        let settings = self.broker.settings(service);
        self.wire(service, Store::Rabbitmq, &settings.amqp_url).await
    }

    async fn wire(&mut self, service: Service, store: Store, url: &SecretString) -> SecretString {
        let wire = Link::to(url.expose_secret()).await;
        let through = wire.url.to_string().into();
        self.wires.push((service, store, wire));
        through
    }

    /// The wires of all services to this store.
    pub(crate) fn wires_to(&self, store: Store) -> impl Iterator<Item = &Link> {
        self.wires.iter().filter(move |(_, to, _)| *to == store).map(|(.., wire)| wire)
    }

    /// The wires of this service to its stores.
    pub(crate) fn wires_of(&self, service: Service) -> impl Iterator<Item = &Link> {
        self.wires.iter().filter(move |(from, ..)| *from == service).map(|(.., wire)| wire)
    }

    /// The wire of this service to this store.
    pub(crate) fn wire_of(&self, service: Service, store: Store) -> &Link {
        let mut wires = self.wires.iter().filter(|(from, to, _)| (*from, *to) == (service, store));
        wires.next().map(|(.., wire)| wire).unwrap()
    }

    /// The provider refuses whatever it is asked, until it [is back](Self::provider_is_back).
    pub(crate) async fn provider_goes(&self) {
        self.as_owner(Service::Payment, "alter table simulator.charges rename to charges_away").await;
    }

    pub(crate) async fn provider_is_back(&self) {
        self.as_owner(Service::Payment, "alter table simulator.charges_away rename to charges").await;
    }

    async fn as_owner(&self, service: Service, statement: &'static str) {
        sqlx::query(statement).execute(&mut self.databases[&service].as_owner().await).await.unwrap();
    }

    async fn stock_mugs(&self, product: SocketAddr) -> ProductId {
        let staff = Client::person(product, &self.keys, Role::Staff);
        let mug = json!({ "sku": "MUG", "name": "Mug", "price": { "amount": 1250, "currency": "EUR" } });
        let made = staff.post("/api/v1/products", mug).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let mug: ProductId = made.body["id"].as_str().unwrap().parse().unwrap();
        let stock = json!({ "on_hand": MUGS }).to_string();
        let set = staff.send(Method::PUT, &format!("/api/v1/products/{mug}/stock"), Some(stock)).await;
        assert_eq!(set.status, 200, "{}", set.body);
        mug
    }

    /// A customer who orders and pays a mug, and asks again until the order is placed.
    pub(crate) fn customer_who_insists(&self) -> impl Future<Output = Uuid> + Send + 'static {
        self.customer_with(json!({ "payment_method": "tok_success" }))
    }

    /// The same without a thought of paying.
    pub(crate) fn customer_who_does_not_pay(&self) -> impl Future<Output = Uuid> + Send + 'static {
        self.customer_with(json!({}))
    }

    fn customer_with(&self, mut order: Value) -> impl Future<Output = Uuid> + Send + 'static {
        let customer = Client::person(self.order, &self.keys, Role::Customer).with_idempotency_key(unique_name());
        order["items"] = json!([{ "product_id": self.mug, "quantity": 1 }]);
        let insist = async move {
            let mut again = interval(AGAIN);
            loop {
                again.tick().await;
                let answer = customer.post("/api/v1/orders", order.clone()).await;
                assert!([201, 409, 503, 504].contains(&answer.status), "{}", answer.body);
                if answer.status == 201 {
                    return answer.body["id"].as_str().unwrap().parse().unwrap();
                }
            }
        };
        async move { timeout(PATIENCE, insist).await.unwrap() }
    }

    /// What has arrived at the broker, once or more often.
    pub(crate) async fn published(&mut self) -> &HashSet<Uuid> {
        while let Some(body) = self.broker.take(HEARD).await {
            self.heard.insert(serde_json::from_slice::<Envelope>(&body).unwrap().id.0);
        }
        &self.heard
    }

    /// What product's gauge of reservations that nobody ends says.
    pub(crate) async fn reservations_past_deadline(&self) -> Option<i64> {
        let metrics = reqwest::get(format!("http://{}/metrics", self.product_operations)).await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let mut gauge = metrics.lines().filter_map(|line| line.strip_prefix("ecommerce_reservations_past_deadline "));
        gauge.next()?.parse().ok()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

fn run(app: App) {
    tokio::spawn(async move { app.run().await.unwrap() });
}

async fn keep_written(database: &Database) {
    let mut owner: PgConnection = database.as_owner().await;
    sqlx::raw_sql(KEEP_WRITTEN).execute(&mut owner).await.unwrap();
}
