//! Nobody who uses the shop notices that a service is replaced: not one request fails, writes and kept connections included.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e::person::unique;
use e2e::{Person, cluster};
use ecommerce_testing::{figure, scale};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

const CLIENTS: usize = 10;
/// How often each of them asks for something; the shop is in use, not under test for its speed.
const PACE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn each_service_is_rolled_twice_under_load_and_no_request_fails() {
    cluster::ready_stack().await;
    let admin = Person::admin().await;
    let product = admin.sell(1_000_000).await;
    let rolled = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let client = Client::new(&admin, &product).await;
        clients.spawn(client.use_the_shop(rolled.clone()));
    }
    for service in ["gateway", "auth", "product", "order", "payment"] {
        for _ in 0..scale(20, 2) {
            cluster::roll(service).await;
        }
    }
    rolled.store(true, Ordering::SeqCst);
    let uses = clients.join_all().await;
    let (asked, written) = uses.iter().fold((0, 0), |sum, use_| (sum.0 + use_.asked, sum.1 + use_.written));
    let failed: Vec<&String> = uses.iter().flat_map(|use_| &use_.failed).collect();
    figure(
        "requests while services were rolled",
        format!("{asked}, of them {written} writes, {} failed", failed.len()),
    );
    assert!(written * 3 >= asked, "only {written} of {asked} requests were writes");
    assert!(failed.is_empty(), "{} of {asked} requests failed: {:#?}", failed.len(), &failed[..failed.len().min(20)]);
}

/// What came of one client's requests.
#[derive(Default)]
struct Use {
    asked: usize,
    written: usize,
    failed: Vec<String>,
}

/// A customer on a connection of their own, with the admin's catalogue beside it.
struct Client {
    customer: Person,
    email: String,
    admin: Person,
    admin_login: Value,
    product: String,
    orders: VecDeque<String>,
    use_: Use,
}

impl Client {
    async fn new(admin: &Person, product: &str) -> Self {
        let email = format!("{}@example.com", unique());
        let customer = Person::registered(&email).await;
        let admin_login =
            json!({ "email": cluster::admin("email").await, "password": cluster::admin("password").await });
        let (admin, product) = (admin.on_another_connection(), product.to_owned());
        Self { customer, email, admin, admin_login, product, orders: VecDeque::new(), use_: Use::default() }
    }

    /// Less than two thirds reads; the rest logs in, counts stock, orders and pays.
    async fn use_the_shop(mut self, rolled: Arc<AtomicBool>) -> Use {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let product = format!("/api/v1/products/{}", self.product);
        for turn in 0.. {
            pace.tick().await;
            if rolled.load(Ordering::SeqCst) {
                break;
            }
            match turn % 24 {
                0 | 8 | 16 => self.place_an_order().await,
                1 | 9 | 17 => self.pay_for_an_order().await,
                2 | 14 => self.count_the_stock(turn).await,
                // A token lives for ten minutes.
                3 if turn % 2400 == 3 => self.log_in_as_admin().await,
                3 | 15 => self.log_in().await,
                4 | 12 | 20 => self.read("/api/v1/orders").await,
                5 | 13 | 21 => self.read("/api/v1/auth/me").await,
                6 | 18 => self.read("/api/v1/products?limit=5").await,
                _ => self.read(&product).await,
            }
        }
        self.use_
    }

    async fn read(&mut self, path: &str) {
        let customer = self.customer.clone();
        self.ask(&customer, Method::GET, path, None, 200).await;
    }

    async fn place_an_order(&mut self) {
        let customer = self.customer.clone();
        let items = json!({ "items": [{ "product_id": self.product, "quantity": 1 }] });
        let placed = self.ask_once(&customer, "/api/v1/orders", items, 201).await;
        self.orders.extend(placed.and_then(|order| Some(order["id"].as_str()?.to_owned())));
    }

    /// The oldest order, as soon as it waits for its money.
    async fn pay_for_an_order(&mut self) {
        let Some(order) = self.orders.front().cloned() else { return };
        let customer = self.customer.clone();
        let Some(order) = self.ask(&customer, Method::GET, &format!("/api/v1/orders/{order}"), None, 200).await else {
            return;
        };
        if order["status"] != "awaiting_payment" {
            return;
        }
        let payment = format!("/api/v1/payments/{}", order["payment_id"].as_str().unwrap_or_default());
        // The order knows of its payment before the payment is there.
        if customer.get(&payment).await.status == 200 {
            self.orders.pop_front();
            let body = json!({ "payment_method": "tok_success" });
            self.ask_once(&customer, &format!("{payment}/pay"), body, 200).await;
        }
    }

    async fn count_the_stock(&mut self, turn: usize) {
        let (admin, path) = (self.admin.clone(), format!("/api/v1/products/{}/stock", self.product));
        self.ask(&admin, Method::PUT, &path, Some(json!({ "on_hand": 1_000_000 + turn })), 200).await;
    }

    async fn log_in(&mut self) {
        self.customer = self.logged_in(self.customer.clone(), Person::credentials(&self.email)).await;
    }

    async fn log_in_as_admin(&mut self) {
        self.admin = self.logged_in(self.admin.clone(), self.admin_login.clone()).await;
    }

    async fn logged_in(&mut self, who: Person, credentials: Value) -> Person {
        let answer = self.ask(&who, Method::POST, "/api/v1/auth/login", Some(credentials), 200).await;
        answer.and_then(|answer| Some(who.with_token(answer["access_token"].as_str()?))).unwrap_or(who)
    }

    /// One request without a key, so that the gateway does not repeat what is no look-up.
    async fn ask(
        &mut self,
        who: &Person,
        method: Method,
        path: &str,
        body: Option<Value>,
        expected: u16,
    ) -> Option<Value> {
        self.count(who, method, path, &[], body, expected).await
    }

    /// One `POST` under a key of its own.
    async fn ask_once(&mut self, who: &Person, path: &str, body: Value, expected: u16) -> Option<Value> {
        self.count(who, Method::POST, path, &[("idempotency-key", &unique())], Some(body), expected).await
    }

    /// Whatever else it answers is a failure.
    async fn count(
        &mut self,
        who: &Person,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
        expected: u16,
    ) -> Option<Value> {
        self.use_.asked += 1;
        self.use_.written += usize::from(method != Method::GET);
        let body = body.map(|body| body.to_string());
        let said = match who.try_send(method.clone(), path, headers, body).await {
            Some(answer) if answer.status == expected => return Some(answer.body),
            Some(answer) => format!("{} {}", answer.status, answer.body),
            None => "no answer".to_owned(),
        };
        self.use_.failed.push(format!("{method} {path}: {said}"));
        None
    }
}
