//! A payment service to ask, and order's part in its stories.

use std::net::SocketAddr;

use clap::{Args as _, FromArgMatches as _};
use ecommerce_contract::events::{ClosedAs, OrderClosed, PaymentRequested};
use ecommerce_contract::{Envelope, Event, Service};
use ecommerce_process::{Host, Settings};
use ecommerce_runtime::Shutdown;
use ecommerce_testing::{Answer, Broker, Client, Database, Keys, document, eventually, unique_name};
use ecommerce_types::{Clock, OrderId, PaymentId, Role, UserId};
use payment::Config;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use time::Duration;
use tokio::task::JoinHandle;

/// What every payment of these stories is about, in minor units.
pub(crate) const AMOUNT: i64 = 1_250;

/// Stores of their own, with as many replicas of the service as a story starts.
pub(crate) struct Shop {
    pub(crate) broker: Broker,
    pub(crate) database: Database,
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
    /// Of the replica that was started last.
    pub(crate) address: SocketAddr,
    shutdown: Shutdown,
    running: Vec<JoinHandle<()>>,
}

/// What one side has written down, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
}

impl Shop {
    /// A running service.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// A running service with other settings.
    pub(crate) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let mut shop = Self::without_service().await;
        shop.start_with(change).await;
        shop
    }

    /// The stores alone.
    pub(crate) async fn without_service() -> Self {
        Self::without_service_on(Database::create(payment::migrations()).await).await
    }

    /// The stores alone, with this database.
    pub(crate) async fn without_service_on(database: Database) -> Self {
        Self {
            broker: Broker::create().await,
            database,
            keys: Keys::create(),
            clock: Clock::manual(Clock::system().now()),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            shutdown: Shutdown::new(),
            running: Vec::new(),
        }
    }

    /// One more replica; from now on the clients ask this one.
    pub(crate) async fn start(&mut self) {
        self.start_with(|_| {}).await;
    }

    /// One more replica with other settings.
    pub(crate) async fn start_with(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = self.config();
        change(&mut config);
        let host = Host::bind(&Settings::for_tests(), self.clock.clone(), self.shutdown.clone()).unwrap();
        let app = payment::build(config, host).await.unwrap();
        self.address = app.http_address().unwrap();
        self.running.push(tokio::spawn(async move { app.run().await.unwrap() }));
        self.broker.ready().await;
    }

    /// A replica whose stores are nowhere; answers where its health is.
    pub(crate) async fn open_away_from_its_stores(&self) -> SocketAddr {
        let mut config = self.config();
        config.postgres.database_url = "postgres://127.0.0.1:1/payment".into();
        config.rabbit.amqp_url = "amqp://127.0.0.1:1".into();
        let host = Host::bind(&Settings::for_tests(), self.clock.clone(), self.shutdown.clone()).unwrap();
        let app = payment::build(config, host).await.unwrap();
        let health = app.operations_address().unwrap();
        tokio::spawn(app.run());
        health
    }

    /// Ends all replicas, as a rollout does.
    pub(crate) async fn stop(&mut self) {
        self.shutdown.stop();
        for running in self.running.drain(..) {
            running.await.unwrap();
        }
        self.shutdown = Shutdown::new();
    }

    fn config(&self) -> Config {
        let command = Config::augment_args(clap::Command::new("payment"));
        let arguments = [
            "payment".to_owned(),
            format!("--api-key-hashes-file={}", self.keys.known().api_key_hashes_file.display()),
            "--database-url=postgres://set-below".to_owned(),
            "--amqp-url=amqp://set-below".to_owned(),
        ];
        let mut config = Config::from_arg_matches(&command.get_matches_from(arguments)).unwrap();
        config.postgres = self.database.settings.clone();
        config.rabbit = self.broker.settings(Service::Payment);
        config
    }

    pub(crate) fn customer(&self) -> Client {
        Client::person(self.address, &self.keys, Role::Customer).with_document(document())
    }

    pub(crate) fn staff(&self) -> Client {
        Client::person(self.address, &self.keys, Role::Staff).with_document(document())
    }

    /// What order asks for when an order of this customer has its stock.
    pub(crate) fn wanted(&self, customer: &Client, payment_method: Option<&str>) -> PaymentRequested {
        PaymentRequested {
            order_id: OrderId::new(&self.clock),
            payment_id: PaymentId::new(&self.clock),
            customer_id: customer.user_id().unwrap_or_else(|| UserId::new(&self.clock)),
            amount: AMOUNT,
            currency: "EUR".parse().unwrap(),
            payment_method: payment_method.map(str::to_owned),
            pay_by: self.clock.now() + Duration::minutes(15),
        }
    }

    /// Order publishes something.
    pub(crate) async fn publish(&self, event: Event) -> Envelope {
        let envelope = Envelope::new(&self.clock, Some("r-1".to_owned()), event);
        self.broker.publish(&envelope).await;
        envelope
    }

    /// Order closes an order whose payment it has requested.
    pub(crate) async fn close(&self, wanted: &PaymentRequested) -> Envelope {
        self.close_as(wanted, Some(wanted.payment_id)).await
    }

    /// Order closes an order of which it knows this payment or none.
    pub(crate) async fn close_as(&self, wanted: &PaymentRequested, payment_id: Option<PaymentId>) -> Envelope {
        let (order_id, pay_by) = (wanted.order_id, wanted.pay_by);
        self.publish(Event::OrderClosed(OrderClosed { order_id, outcome: ClosedAs::Cancelled, payment_id, pay_by }))
            .await
    }

    /// The next thing that order is told.
    pub(crate) async fn published(&self) -> Event {
        self.broker.next("order").await.event
    }

    /// A payment of this customer that waits for a method.
    pub(crate) async fn awaiting(&self, customer: &Client) -> PaymentRequested {
        let wanted = self.wanted(customer, None);
        self.publish(Event::PaymentRequested(wanted.clone())).await;
        self.reaches(wanted.payment_id, "awaiting_payment").await;
        wanted
    }

    /// Waits until the payment stands there.
    pub(crate) async fn reaches(&self, id: PaymentId, status: &str) -> Value {
        let staff = self.staff();
        eventually(&format!("the payment is {status}"), || async {
            let answer = staff.get(&path(id)).await;
            (answer.body["status"] == status).then_some(answer.body)
        })
        .await
    }

    /// Waits until the payment stands at one of these.
    pub(crate) async fn reaches_any(&self, id: PaymentId, statuses: &[&str]) {
        let staff = self.staff();
        eventually(&format!("the payment is one of {statuses:?}"), || async {
            let status = staff.get(&path(id)).await.body["status"].clone();
            statuses.iter().any(|wanted| status == *wanted).then_some(())
        })
        .await;
    }

    /// Waits until all of the payment's money has gone back.
    pub(crate) async fn goes_back(&self, id: PaymentId) {
        let staff = self.staff();
        eventually("the money goes back", || async {
            let answer = staff.get(&path(id)).await;
            (answer.body["amount_refunded"] == AMOUNT).then_some(())
        })
        .await;
    }

    /// Waits until no attempt is open.
    pub(crate) async fn settles(&self) {
        let open =
            "select (select count(*) from attempts where status = 'open') + (select count(*) from open_attempts)";
        eventually("every attempt has ended", || async { (self.count(open).await == 0).then_some(()) }).await;
    }

    /// One number out of the service's database.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.database.pool).await.unwrap()
    }

    /// Changes what a service may not, as a migration or a provider of another kind would.
    pub(crate) async fn as_owner(&self, statements: &str) {
        let migrated = ecommerce_postgres::migration::run(&self.database.owner, payment::migrations());
        let mut owner = migrated.await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut owner).await.unwrap();
    }

    /// What the service has written down.
    pub(crate) async fn books(&self) -> Sums {
        Sums {
            captured: self.count("select coalesce(sum(amount_captured), 0)::bigint from payments").await,
            refunded: self.count("select coalesce(sum(amount_refunded), 0)::bigint from payments").await,
        }
    }

    /// What the provider has written down.
    pub(crate) async fn ledger(&self) -> Sums {
        let captured = "select coalesce(sum(amount), 0)::bigint from simulator.charges where status = 'captured'";
        Sums {
            captured: self.count(captured).await,
            refunded: self.count("select coalesce(sum(amount), 0)::bigint from simulator.refunds").await,
        }
    }

    /// How many charges the provider holds, however they ended.
    pub(crate) async fn charges(&self) -> i64 {
        self.count("select count(*) from simulator.charges").await
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

fn document() -> Value {
    document::parse(payment::openapi())
}

pub(crate) fn path(id: PaymentId) -> String {
    format!("/api/v1/payments/{id}")
}

/// Pays under a new key.
pub(crate) async fn pay(client: &Client, id: PaymentId, method: &str) -> Answer {
    pay_with_key(client, id, method, &unique_name()).await
}

pub(crate) async fn pay_with_key(client: &Client, id: PaymentId, method: &str, key: &str) -> Answer {
    let body = json!({ "payment_method": method });
    client.with_idempotency_key(key).post(&format!("{}/pay", path(id)), body).await
}
