//! People who use the shop, through its gateway.

use std::sync::LazyLock;
use std::time::Duration;

use ecommerce_testing::document;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{cluster, within};

/// How long an order may take to get somewhere before a test gives up; how long it should take is measured elsewhere.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long the gateway may take to answer: longer than any of its own time limits.
const ANSWER: Duration = Duration::from_secs(30);

/// What the API says of itself; every answer is looked up in it.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../docs/reference/openapi.json")).expect("a document in JSON")
});

/// Somebody at the gateway.
#[derive(Debug, Clone)]
pub struct Person {
    http: reqwest::Client,
    address: String,
    token: Option<String>,
}

/// What the gateway answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null when it is not JSON.
    pub body: Value,
    /// The body, byte for byte.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The id of what was made or read.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.body))
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The stable word of a problem document.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::nobody()
    }
}

impl Person {
    /// Somebody who is not logged in.
    ///
    /// # Panics
    /// When this machine has no sockets.
    #[must_use]
    pub fn nobody() -> Self {
        let http = reqwest::Client::builder().timeout(ANSWER).build().expect("a client");
        Self { http, address: address(), token: None }
    }

    /// The same person with connections of their own.
    #[must_use]
    pub fn on_another_connection(&self) -> Self {
        Self { token: self.token.clone(), ..Self::nobody() }
    }

    /// The admin, logged in with the password of the stack's Secret.
    pub async fn admin() -> Self {
        Self::nobody().log_in(&cluster::admin("email").await, &cluster::admin("password").await).await
    }

    /// A new customer, registered and logged in.
    ///
    /// # Panics
    /// When registering fails.
    pub async fn customer() -> Self {
        Self::registered(&format!("{}@example.com", unique())).await
    }

    /// A new customer of this address, registered and logged in.
    ///
    /// # Panics
    /// When registering fails.
    pub async fn registered(email: &str) -> Self {
        let nobody = Self::nobody();
        let mut body = Self::credentials(email);
        body["name"] = json!("Ada");
        let registered = nobody.post("/api/v1/auth/register", &body).await;
        assert_eq!(registered.status, 201, "register: {}", registered.body);
        nobody.logged_in(email).await
    }

    /// The customer of this address, logged in.
    ///
    /// # Panics
    /// When logging in fails.
    pub async fn logged_in(self, email: &str) -> Self {
        self.log_in(email, &password(email)).await
    }

    /// What a customer of this address logs in with.
    #[must_use]
    pub fn credentials(email: &str) -> Value {
        json!({ "email": email, "password": password(email) })
    }

    async fn log_in(mut self, email: &str, password: &str) -> Self {
        let answer = self.post("/api/v1/auth/login", &json!({ "email": email, "password": password })).await;
        assert_eq!(answer.status, 200, "log in: {}", answer.body);
        self.token = answer.body["access_token"].as_str().map(str::to_owned);
        self
    }

    /// The access token, if logged in.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same person with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// `POST`.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body.to_string())).await
    }

    /// `POST` under a new idempotency key.
    pub async fn post_once(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[("idempotency-key", &unique())], Some(body.to_string())).await
    }

    /// `GET`, where the gateway may be away.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        self.try_send(Method::GET, path, &[], None::<String>).await
    }

    /// Any request; a body is called JSON, whatever it is.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        self.try_send(method, path, headers, body).await.expect("the gateway answers")
    }

    /// A `POST` whose body is these bytes, called JSON, whatever they are.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn post_bytes(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        self.try_send(Method::POST, path, headers, Some(body)).await.expect("the gateway answers")
    }

    /// `PATCH`.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &[], Some(body.to_string())).await
    }

    /// Any request, where the gateway may be away: `None` when there was no answer, or none that ended.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<impl Into<reqwest::Body> + Send>,
    ) -> Option<Answer> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.ok()?;
        let bytes = body.to_vec();
        let answer = Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), bytes };
        document::assert_names(&DOCUMENT, method.as_str(), path, status, answer.code());
        Some(answer)
    }

    /// Puts a new product on sale for 12.50 €, with this many in stock; answers its id. For staff.
    pub async fn sell(&self, on_hand: u32) -> String {
        self.sell_this(json!({}), on_hand).await
    }

    /// Puts a new product on sale that is a mug for 12.50 € but for the fields of `other`; answers its id. For staff.
    ///
    /// # Panics
    /// When the shop refuses.
    pub async fn sell_this(&self, other: Value, on_hand: u32) -> String {
        let mut body = json!({
            "sku": format!("E2E-{}", unique()), "name": "Mug", "description": "Blue.", "category": "kitchen",
            "attributes": {}, "price": { "amount": 1250, "currency": "EUR" }
        });
        for (field, value) in other.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        let product = self.post("/api/v1/products", &body).await;
        assert_eq!(product.status, 201, "make a product: {}", product.body);
        if on_hand > 0 {
            let path = format!("/api/v1/products/{}/stock", product.id());
            let stock = self.send(Method::PUT, &path, &[], Some(json!({ "on_hand": on_hand }).to_string())).await;
            assert_eq!(stock.status, 200, "set its stock: {}", stock.body);
        }
        product.id().to_owned()
    }

    /// The stock of a product: on hand, reserved, available. For staff.
    pub async fn stock(&self, product: &str) -> [Value; 3] {
        let stock = self.get(&format!("/api/v1/products/{product}/stock")).await.body;
        [stock["on_hand"].clone(), stock["reserved"].clone(), stock["available"].clone()]
    }

    /// Waits until the stock of a product is so: on hand, reserved, available. For staff.
    pub async fn sees_stock(&self, product: &str, stock: [u32; 3]) {
        let wanted = stock.map(Value::from);
        let what = format!("the stock of product {product} is {stock:?}");
        within(DEADLINE, &what, || async { (self.stock(product).await == wanted).then_some(()) }).await;
    }

    /// Orders; answers the order's id.
    ///
    /// # Panics
    /// When the shop refuses.
    pub async fn order(&self, product: &str, quantity: u32, payment_method: Option<&str>) -> String {
        let mut body = json!({ "items": [{ "product_id": product, "quantity": quantity }] });
        if let Some(method) = payment_method {
            body["payment_method"] = json!(method);
        }
        let order = self.post_once("/api/v1/orders", &body).await;
        assert_eq!(order.status, 201, "place an order: {}", order.body);
        order.id().to_owned()
    }

    /// Places an order that is to be paid; answers its id and its payment's, once that can be paid.
    ///
    /// # Panics
    /// When the shop refuses.
    pub async fn order_to_pay(&self, product: &str, quantity: u32) -> (String, String) {
        let order = self.order(product, quantity, None).await;
        let payment = self.reaches(&order, "awaiting_payment").await["payment_id"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/payments/{payment}");
        within(DEADLINE, "the payment is there", || async { (self.get(&path).await.status == 200).then_some(()) })
            .await;
        (order, payment)
    }

    /// Pays under a new idempotency key.
    pub async fn pay(&self, payment: &str, method: &str) -> Answer {
        self.pay_with_key(payment, method, &unique()).await
    }

    /// Pays under this idempotency key.
    pub async fn pay_with_key(&self, payment: &str, method: &str, key: &str) -> Answer {
        let body = json!({ "payment_method": method }).to_string();
        let path = format!("/api/v1/payments/{payment}/pay");
        self.send(Method::POST, &path, &[("idempotency-key", key)], Some(body)).await
    }

    /// Calls an order off.
    pub async fn cancel(&self, order: &str) -> Answer {
        self.post(&format!("/api/v1/orders/{order}/cancel"), &json!({})).await
    }

    /// Waits until this much of an order's money has gone back, as order and payment know it.
    pub async fn sees_refunded(&self, order: &str, payment: &str, amount: i64) {
        let paths = [format!("/api/v1/orders/{order}"), format!("/api/v1/payments/{payment}")];
        for path in paths {
            within(DEADLINE, &format!("{amount} has gone back in {path}"), || async {
                (self.get(&path).await.body["amount_refunded"] == amount).then_some(())
            })
            .await;
        }
    }

    /// Waits until an order stands there; answers it.
    pub async fn reaches(&self, order: &str, status: &str) -> Value {
        let path = format!("/api/v1/orders/{order}");
        within(DEADLINE, &format!("order {order} is {status}"), || async {
            let order = self.get(&path).await.body;
            (order["status"] == status).then_some(order)
        })
        .await
    }

    /// Waits until this many of a product are available.
    pub async fn sees_available(&self, product: &str, available: u32) {
        let path = format!("/api/v1/products/{product}");
        within(DEADLINE, &format!("{available} of product {product} are available"), || async {
            (self.try_get(&path).await?.body["stock"]["available"] == available).then_some(())
        })
        .await;
    }
}

/// Where the gateway is: `E2E_ADDRESS`, or what `make up` says.
#[must_use]
pub fn address() -> String {
    std::env::var("E2E_ADDRESS").unwrap_or_else(|_| "http://localhost:8080".to_owned())
}

fn password(email: &str) -> String {
    format!("password of {email}")
}

/// A text that nobody has used.
#[must_use]
pub fn unique() -> String {
    #[expect(clippy::disallowed_methods, reason = "a test against a cluster holds no clock still")]
    Uuid::now_v7().simple().to_string()
}
