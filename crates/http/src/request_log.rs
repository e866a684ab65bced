//! The layer around all routes of a process: who calls, the request's id, its line in the log, its place in the metrics, and
//! a task of its own, so that a client who goes away does not stop a write half-way.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use ecommerce_contract::headers;
use ecommerce_runtime::request_id;
use ecommerce_types::{Clock, UserId};
use futures::FutureExt as _;

use crate::answered::{Answered, Line};
use crate::api_key::KnownKeys;
use crate::client_address::{ClientAddress, client_address};
use crate::route_metrics::RouteMetrics;
use crate::{BODY_LIMIT, Problem, problem};

/// What the routes have found out about a request, for its line: put among a response's extensions.
#[derive(Debug, Clone, Copy)]
pub struct By(pub UserId);

/// Who calls, and so what of a request is believed.
#[derive(Clone)]
pub enum Callers {
    /// Other services. What a request says of itself (its id, its client, its person) is believed beside one of these keys.
    Services(KnownKeys),
    /// Strangers, whose word is believed for nothing; and before them so many proxies of ours, each of which adds to
    /// `x-forwarded-for` the address that it was called from.
    Clients {
        /// Hops, counted from the right.
        trusted_proxies: u8,
    },
}

#[derive(Clone)]
struct Around {
    clock: Clock,
    callers: Callers,
    metrics: RouteMetrics,
}

/// What is known of a request before its handler is.
#[derive(Default)]
struct Known {
    id: Option<String>,
    client: Option<IpAddr>,
    user: Option<UserId>,
}

/// Wraps a process's routes: caller, id, log, metrics, body limit, and answers for what is not there.
pub fn around(routes: Router, clock: Clock, callers: Callers) -> Router {
    let around = Around { clock, callers, metrics: RouteMetrics::default() };
    routes
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(around, handle))
}

impl Callers {
    fn know(&self, request: &mut Request) -> Known {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        match self {
            Self::Services(keys) => {
                let Some(caller) = keys.identify(request.headers()) else {
                    return Known { client: peer, ..Known::default() };
                };
                request.extensions_mut().insert(caller);
                let headers = request.headers();
                let client: Option<IpAddr> = text(headers, headers::CLIENT_ADDRESS).and_then(|text| text.parse().ok());
                let (id, user) = (given_id(headers), text(headers, headers::USER_ID).and_then(|id| id.parse().ok()));
                if let Some(client) = client {
                    request.extensions_mut().insert(ClientAddress(client));
                }
                Known { id, client: client.or(peer), user }
            }
            Self::Clients { trusted_proxies } => {
                let client = client_address(request.headers(), peer, *trusted_proxies);
                if let Some(client) = client {
                    request.extensions_mut().insert(ClientAddress(client));
                }
                Known { client, ..Known::default() }
            }
        }
    }
}

async fn handle(
    axum::extract::State(around): axum::extract::State<Around>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = around.clock.monotonic();
    let known = around.callers.know(&mut request);
    let id = known.id.unwrap_or_else(|| around.clock.new_id().to_string());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();

    let mut response = request_id::scope(id.clone(), detach_writes(request, next)).await;

    let answer = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.insert(headers::REQUEST_ID, value);
    }
    answer.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // What may be kept says so itself: an answer is somebody's.
    answer.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let line = Line {
        began,
        request_id: id,
        client: known.client,
        user: response.extensions().get().map(|By(user)| *user).or(known.user),
        series: around.metrics.of(&method, route.as_ref(), response.status()),
        method,
        route,
        status: response.status(),
        clock: around.clock,
    };
    response.map(|body| Body::new(Answered::new(body, line)))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = text(headers, headers::REQUEST_ID)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((1..=64).contains(&id.len()) && id.bytes().all(allowed)).then(|| id.to_owned())
}

/// Reads are dropped with their client; whatever may change something runs on in a task of its own. A handler that panics
/// has answered 500, and the process lives.
async fn detach_writes(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        let work = AssertUnwindSafe(next.run(request)).catch_unwind();
        return work.await.unwrap_or_else(|_| Problem::panicked().into_response());
    }
    let id = request_id::current().unwrap_or_default();
    let work = request_id::scope(id, next.run(request));
    tokio::spawn(work).await.unwrap_or_else(|_| Problem::panicked().into_response())
}
