//! The services behind the gateway, and the one client to all of them.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{Method, Request, Response, Uri, request};
use ecommerce_contract::Service;
use ecommerce_contract::headers::{EDGE_REFUSED, IDEMPOTENCY_KEY};
use ecommerce_http::client::{CONNECT, IDLE};
use ecommerce_http::edge_key::EdgeKey;
use ecommerce_http::renewed::Renewed;
use ecommerce_runtime::request_id;
use ecommerce_types::Clock;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::Error;
use crate::body::AnswerBody;
use crate::headers::{self, Trusted};
use crate::metrics::FORWARDS_REPEATED;
use crate::routes::Route;
use crate::verified_tokens::VerifiedToken;

/// Bytes of an answer that are held for a client who is slow to take it.
const HELD_BYTES: usize = 32 * 1024;

/// Idle connections that are kept to one service; a burst makes more and lets them go.
const IDLE_CONNECTIONS: usize = 64;

type Client = legacy::Client<HttpConnector, Full<Bytes>>;

/// All services behind the gateway. One pool of connections, whatever the number of routes.
pub(crate) struct Services {
    client: Renewed<Client>,
    upstreams: Vec<Arc<Upstream>>,
}

/// Where one service is, and the gateway's key to it.
#[derive(Debug)]
pub(crate) struct Upstream {
    service: Service,
    authority: Authority,
    key: EdgeKey,
}

/// The address of a service is not `http://host:port`.
#[derive(Debug, thiserror::Error)]
#[error("{}_URL is not of the form http://host:port", .0.as_str().to_uppercase())]
pub struct SettingError(Service);

/// A request as it came, but for its body, which has come as well.
pub(crate) struct Forwarded<'a> {
    pub(crate) parts: &'a request::Parts,
    pub(crate) body: Bytes,
    pub(crate) token: Option<&'a VerifiedToken>,
    pub(crate) client: Option<IpAddr>,
}

impl Services {
    /// The services at these addresses, with these keys.
    pub(crate) fn new(edges: Vec<(Service, Url, EdgeKey)>, clock: Clock) -> Result<Self, SettingError> {
        let upstreams = edges.into_iter().map(|(service, url, key)| Upstream::new(service, &url, key).map(Arc::new));
        Ok(Self { client: Renewed::new(client(), clock), upstreams: upstreams.collect::<Result<_, _>>()? })
    }

    /// Where a service is.
    pub(crate) fn upstream(&self, service: Service) -> Option<Arc<Upstream>> {
        self.upstreams.iter().find(|upstream| upstream.service == service).cloned()
    }

    /// Sends a request on and gives the answer as it comes.
    pub(crate) async fn forward(
        &self,
        upstream: &Upstream,
        route: &Route,
        request: Forwarded<'_>,
    ) -> Result<Response<Body>, Error> {
        let service = upstream.service;
        let deadline = Instant::now() + route.limit;
        let answer = timeout_at(deadline, self.send(upstream, route, &request, deadline - route.limit / 2));
        let answer = answer.await.map_err(|_| Error::AnswerTooLate(service))??;
        let (parts, body) = answer.into_parts();
        // A key that is not known there is a fault of ours, and no answer to the person who asked.
        if parts.headers.contains_key(EDGE_REFUSED) {
            return Err(Error::EdgeRefused(service));
        }
        let mut response = Response::new(Body::new(AnswerBody::new(body, route.limit)));
        *response.status_mut() = parts.status;
        *response.headers_mut() = headers::answered(&parts.headers);
        Ok(response)
    }

    /// Sends; once more when a connection has failed before the answer began, if no service can have done anything, or if it
    /// is no harm that it has. Not late: whoever waits is better told.
    async fn send(
        &self,
        upstream: &Upstream,
        route: &Route,
        request: &Forwarded<'_>,
        not_after: Instant,
    ) -> Result<Response<Incoming>, Error> {
        let client = self.client.get(|| Some(client()));
        let first = match client.request(upstream.request(request)?).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if Instant::now() > not_after || !(first.is_connect() || is_repeatable(route, request.parts)) {
            return Err(failure(upstream.service, first));
        }
        FORWARDS_REPEATED.increment([upstream.service.as_str()]);
        client.request(upstream.request(request)?).await.map_err(|error| failure(upstream.service, error))
    }
}

impl Upstream {
    fn new(service: Service, url: &Url, key: EdgeKey) -> Result<Self, SettingError> {
        let plain = url.scheme() == "http" && matches!(url.path(), "" | "/") && url.query().is_none();
        let authority = Some(url.authority()).filter(|_| plain).and_then(|authority| authority.parse().ok());
        Ok(Self { service, authority: authority.ok_or(SettingError(service))?, key })
    }

    /// The request as the service gets it: the path and the query as the client wrote them, and of the rest what passes.
    fn request(&self, forwarded: &Forwarded<'_>) -> Result<Request<Full<Bytes>>, Error> {
        let client = forwarded.parts;
        let mut uri = axum::http::uri::Parts::default();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(self.authority.clone());
        uri.path_and_query =
            Some(client.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
        let mut request = Request::new(Full::new(forwarded.body.clone()));
        *request.method_mut() = client.method.clone();
        *request.uri_mut() = Uri::from_parts(uri).map_err(|_| Error::RouteNotFound)?;
        let id = request_id::current();
        let trusted = Trusted {
            key: self.key.value(),
            token: forwarded.token,
            request_id: id.as_deref(),
            client: forwarded.client,
            with_user_agent: self.service == Service::Auth,
        };
        *request.headers_mut() = headers::passed_on(&client.headers, trusted);
        Ok(request)
    }
}

fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .http1_max_buf_size(HELD_BYTES)
        .build(connector)
}

/// A look-up changes nothing (RFC 9110, section 9.2.2), and a write under a key is done once where the service keeps keys.
fn is_repeatable(route: &Route, parts: &request::Parts) -> bool {
    matches!(parts.method, Method::GET | Method::HEAD) || (route.keyed && parts.headers.contains_key(IDEMPOTENCY_KEY))
}

fn failure(service: Service, source: legacy::Error) -> Error {
    if source.is_connect() { Error::ServiceUnavailable(service, source) } else { Error::AnswerBroken(service, source) }
}
