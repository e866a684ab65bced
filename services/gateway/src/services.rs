//! The services behind the gateway, and the one client to all of them.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{HeaderValue, Method, Uri, Version};
use axum::response::Response;
use ecommerce_contract::{Service, headers::API_KEY};
use ecommerce_http::client::{CONNECT, IDLE};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;

use crate::body::{AnswerBody, End, Progress, RequestBody};
use crate::{Error, headers};

/// What a document that the gateway reads itself may weigh, in bytes.
const DOCUMENT_LIMIT: usize = 1024 * 1024;
/// How long a document that the gateway reads itself may take.
const DOCUMENT_TIMEOUT: Duration = Duration::from_secs(3);

/// Idle connections that are kept to one service; a burst makes more and lets them go.
const IDLE_CONNECTIONS: usize = 64;

/// All services behind the gateway. One pool of connections, whatever the number of routes.
#[derive(Clone)]
pub struct Services {
    client: Client<HttpConnector, Body>,
    doors: [Door; 4],
}

/// Where one service is, and the gateway's key to it.
#[derive(Clone)]
struct Door {
    service: Service,
    authority: Authority,
    key: HeaderValue,
}

/// The setting of one service is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// Not `http://host:port`.
    #[error("{0}_URL is not of the form http://host:port")]
    Url(String),
    /// Not what a header can carry; the text itself is not shown.
    #[error("{0}_API_KEY holds characters that a header cannot carry")]
    Key(String),
}

/// Why a document was not read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The service did not answer in time.
    #[error("the answer did not come in time")]
    TooSlow,
    /// There is no connection, or it broke.
    #[error("unable to ask the service")]
    Client(#[from] legacy::Error),
    /// The service answered, but not with the document.
    #[error("the service answered {0}")]
    Status(axum::http::StatusCode),
    /// The document broke off, or is too large.
    #[error("unable to read the document: {0}")]
    Body(String),
    /// The document is of another form.
    #[error("failed to parse the document")]
    Parse(#[from] serde_json::Error),
}

impl Services {
    /// The services at these addresses, with these keys.
    pub fn new(settings: [(Service, &Uri, &SecretString); 4]) -> Result<Self, SettingError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        let [one, two, three, four] = settings;
        Ok(Self { client, doors: [Door::new(one)?, Door::new(two)?, Door::new(three)?, Door::new(four)?] })
    }

    /// Sends a request on, as it is but for its address and the key, and gives the answer as it comes.
    pub async fn forward(
        &self,
        service: Service,
        limit: Duration,
        request: axum::http::Request<RequestBody>,
    ) -> Result<Response, Error> {
        let progress = request.body().progress();
        let request = self.address(service, request.map(Body::new));
        let answer = match tokio::time::timeout(limit, self.send(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(source)) => return Err(failure(service, source, &progress)),
            Err(_) if progress.end() == Some(End::Whole) => return Err(Error::AnswerTooLate(service)),
            Err(_) => return Err(Error::BodyTooSlow),
        };
        let (mut parts, body) = answer.into_parts();
        headers::clean_answer(&mut parts.headers);
        Ok(Response::from_parts(parts, Body::new(AnswerBody::new(body, limit))))
    }

    /// Reads a document of a service for the gateway itself.
    pub async fn document<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &'static str,
    ) -> Result<T, DocumentError> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = Uri::from_static(path);
        let request = self.address(service, request);
        let read = async {
            let answer = self.send(request).await?;
            if !answer.status().is_success() {
                return Err(DocumentError::Status(answer.status()));
            }
            let body = Limited::new(answer.into_body(), DOCUMENT_LIMIT).collect().await;
            let body = body.map_err(|error| DocumentError::Body(error.to_string()))?;
            Ok(serde_json::from_slice(&body.to_bytes())?)
        };
        tokio::time::timeout(DOCUMENT_TIMEOUT, read).await.unwrap_or(Err(DocumentError::TooSlow))
    }

    fn address(&self, service: Service, mut request: Request) -> Request {
        let Some(door) = self.doors.iter().find(|door| door.service == service) else { return request };
        let mut uri = axum::http::uri::Parts::default();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(door.authority.clone());
        // The path and the query as the client wrote them.
        uri.path_and_query =
            Some(request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
        if let Ok(uri) = Uri::from_parts(uri) {
            *request.uri_mut() = uri;
        }
        *request.version_mut() = Version::HTTP_11;
        request.headers_mut().insert(API_KEY, door.key.clone());
        request
    }

    /// Sends; once more when the connection failed and the request is a look-up, which is safe to repeat.
    async fn send(&self, request: Request) -> Result<axum::http::Response<Incoming>, legacy::Error> {
        let Some(again) = repeatable(&request) else { return self.client.request(request).await };
        match self.client.request(request).await {
            Err(_) => self.client.request(again).await,
            answer => answer,
        }
    }
}

impl Door {
    fn new((service, url, key): (Service, &Uri, &SecretString)) -> Result<Self, SettingError> {
        let variable = || service.as_str().to_uppercase();
        let plain = url.scheme() == Some(&Scheme::HTTP) && matches!(url.path(), "" | "/") && url.query().is_none();
        let authority = url.authority().filter(|_| plain).cloned().ok_or_else(|| SettingError::Url(variable()))?;
        let mut key = HeaderValue::from_str(key.expose_secret()).map_err(|_| SettingError::Key(variable()))?;
        key.set_sensitive(true);
        Ok(Self { service, authority, key })
    }
}

fn repeatable(request: &Request) -> Option<Request> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) || !request.body().is_end_stream() {
        return None;
    }
    let mut again = Request::new(Body::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

/// What went wrong, the client's own faults first: they show as a failed sending, too.
fn failure(service: Service, source: legacy::Error, progress: &Progress) -> Error {
    match progress.end() {
        Some(End::TooLarge) => Error::BodyTooLarge,
        Some(End::Broken) => Error::BodyUnreadable,
        Some(End::Whole) | None if source.is_connect() => Error::ServiceUnavailable(service, source),
        Some(End::Whole) | None => Error::AnswerBroken(service, source),
    }
}
