//! The layer around all routes of a service: the request's id, its line in the log, its place in the metrics, and a task of
//! its own, so that a client who goes away does not stop a write half-way.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use ecommerce_contract::headers;
use ecommerce_runtime::request_id;
use ecommerce_types::Clock;
use tracing::Instrument as _;

use crate::{BODY_LIMIT, Problem, problem};

/// Wraps a service's routes: id, log, metrics, body limit, and answers for what is not there.
///
/// The id is taken from `x-request-id`, which the gateway sets; a request without one gets one.
pub fn around(routes: Router, clock: Clock) -> Router {
    routes
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let id = given_id(&request).unwrap_or_else(|| clock.new_id().to_string());
            handle(id, request, next)
        }))
}

fn given_id(request: &Request) -> Option<String> {
    let id = request.headers().get(headers::REQUEST_ID)?.to_str().ok()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((1..=64).contains(&id.len()) && id.bytes().all(allowed)).then(|| id.to_owned())
}

async fn handle(id: String, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // The route and not the path: a path with ids in it would make a time series for each order.
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", request.id = %id, http.method = %method, http.route = %route);
    let answer = request_id::scope(id.clone(), detach_writes(request, next)).instrument(span.clone());
    let mut response = answer.await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(headers::REQUEST_ID, value);
    }
    let _entered = span.enter();
    record(&method, route, response.status().as_u16(), started.elapsed());
    response
}

/// Reads are dropped with their client; whatever may change something runs on in a task of its own.
async fn detach_writes(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let id = request_id::current().unwrap_or_default();
    let work = request_id::scope(id, next.run(request)).in_current_span();
    match tokio::spawn(work).await {
        Ok(response) => response,
        Err(panic) => Problem::internal(&panic).into_response(),
    }
}

fn record(method: &Method, route: String, status: u16, took: Duration) {
    let labels = [("method", method.to_string()), ("route", route), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(took);
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(http.status = status, took.milliseconds = milliseconds, "answered");
}
