//! Staff who fill the shelves and customers who buy, through the gateway like anybody.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Failure, Shop};

/// What any request may take.
const ANSWER: Duration = Duration::from_secs(20);

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Person {
    http: Client,
    address: String,
    token: String,
}

impl Person {
    /// The admin.
    pub async fn admin(shop: &Shop) -> Result<Self, Failure> {
        let [email, password] = shop.stack.admin();
        Self::log_in(shop, email, password).await
    }

    /// A new customer.
    pub async fn customer(shop: &Shop) -> Result<Self, Failure> {
        let (email, password) = (format!("{}@example.com", Uuid::new_v4()), Uuid::new_v4().to_string());
        let body = json!({"email": email, "password": password, "name": "Ada"});
        Self::nobody(shop)?.ask(Method::POST, "/api/v1/auth/register", &body).await?;
        Self::log_in(shop, &email, &password).await
    }

    fn nobody(shop: &Shop) -> Result<Self, Failure> {
        let http = Client::builder().timeout(ANSWER).build()?;
        Ok(Self { http, address: format!("http://{}", shop.address), token: String::new() })
    }

    async fn log_in(shop: &Shop, email: &str, password: &str) -> Result<Self, Failure> {
        let nobody = Self::nobody(shop)?;
        let credentials = json!({"email": email, "password": password});
        let tokens = nobody.ask(Method::POST, "/api/v1/auth/login", &credentials).await?;
        Ok(Self { token: tokens["access_token"].as_str().ok_or("a login without a token")?.to_owned(), ..nobody })
    }

    /// Puts a product on sale with so many pieces; answers its id. For the admin.
    pub async fn sell(&self, pieces: u64) -> Result<String, Failure> {
        let product = json!({
            "sku": format!("BENCH-{}", Uuid::new_v4().simple()), "name": "Mug", "description": "Blue.", "category": "kitchen",
            "attributes": {}, "price": {"amount": 1250, "currency": "EUR"},
        });
        let made = self.ask(Method::POST, "/api/v1/products", &product).await?;
        let id = made["id"].as_str().ok_or("a product without an id")?.to_owned();
        self.ask(Method::PUT, &format!("/api/v1/products/{id}/stock"), &json!({"on_hand": pieces})).await?;
        Ok(id)
    }

    /// Orders one piece, paid at once; answers the order's id.
    pub async fn buy(&self, product: &str) -> Result<Uuid, Failure> {
        let body = json!({"items": [{"product_id": product, "quantity": 1}], "payment_method": "tok_success"});
        let order = self.ask(Method::POST, "/api/v1/orders", &body).await?;
        Ok(order["id"].as_str().ok_or("an order without an id")?.parse()?)
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let mut request = self.http.request(method, format!("{}{path}", self.address));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token).header("idempotency-key", Uuid::new_v4().to_string());
        }
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await?;
        let (status, bytes) = (answer.status(), answer.bytes().await?);
        if !status.is_success() {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&bytes)).into());
        }
        Ok(serde_json::from_slice(&bytes)?)
    }
}
