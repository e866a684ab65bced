//! The gateway's part in a test of one service: sends the key and the trusted headers.

use std::net::SocketAddr;
use std::sync::Arc;

use ecommerce_contract::{Service, headers};
use ecommerce_types::{Clock, Role, SessionId, UserId};
use reqwest::Method;
use serde_json::Value;

use crate::{Keys, document};

/// Asks one service as one person, or as nobody.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    headers: Vec<(&'static str, String)>,
    /// What the service says that it answers; each answer is looked up in it.
    document: Option<Arc<Value>>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, lower-case.
    pub headers: Vec<(String, String)>,
    /// The body; null when there is none or it is not JSON.
    pub body: Value,
    /// The body, byte for byte.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The `code` of a problem document.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Client {
    /// Asks the service at `address` without a key.
    #[must_use]
    pub fn without_key(address: SocketAddr) -> Self {
        Self { http: reqwest::Client::new(), address, headers: Vec::new(), document: None }
    }

    /// Asks as the gateway does for somebody who is not logged in.
    #[must_use]
    pub fn anonymous(address: SocketAddr, keys: &Keys) -> Self {
        Self::without_key(address).with(headers::API_KEY, keys.of(Service::Gateway))
    }

    /// Asks as the gateway does for a new person with this role.
    #[must_use]
    pub fn person(address: SocketAddr, keys: &Keys, role: Role) -> Self {
        let clock = Clock::system();
        Self::anonymous(address, keys)
            .with(headers::USER_ID, UserId::new(&clock).to_string())
            .with(headers::SESSION_ID, SessionId::new(&clock).to_string())
            .with(headers::USER_ROLES, role.as_str())
    }

    /// The same, who finds each answer in the service's OpenAPI document.
    ///
    /// # Panics
    /// From then on, when the service answers what its document does not say.
    #[must_use]
    pub fn with_document(self, document: Value) -> Self {
        Self { document: Some(Arc::new(document)), ..self }
    }

    /// The same, with one more header on every request.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The same, with this `Idempotency-Key`.
    #[must_use]
    pub fn with_idempotency_key(&self, key: impl Into<String>) -> Self {
        self.clone().with(headers::IDEMPOTENCY_KEY, key)
    }

    /// The person that [`Client::person`] made up.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.headers.iter().find(|(name, _)| *name == headers::USER_ID)?.1.parse().ok()
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    /// Any method, with a body that is called JSON whatever it is.
    ///
    /// # Panics
    /// When the service does not answer.
    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut request = self.http.request(method.clone(), format!("http://{}{path}", self.address));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.expect("the service answers");
        let status = response.status().as_u16();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = response.headers().iter().map(header).collect();
        let bytes = response.bytes().await.expect("the answer ends").to_vec();
        let answer = Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), bytes };
        self.look_up(&method, path, &answer);
        answer
    }

    fn look_up(&self, method: &Method, path: &str, answer: &Answer) {
        // Between two services, before any operation; no client is told.
        if ["api_key_missing", "api_key_refused"].contains(&answer.code()) {
            return;
        }
        if let Some(document) = &self.document {
            document::assert_names(document, method.as_str(), path, answer.status, answer.code());
        }
    }
}
