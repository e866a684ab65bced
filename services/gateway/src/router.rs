//! The way of a request through the gateway, in its order.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodFilter, get, on};
use ecommerce_http::request_log;
use ecommerce_runtime::request_id;
use ecommerce_types::Clock;

use crate::body::RequestBody;
use crate::caller::Callers;
use crate::openapi::{self, OpenApi};
use crate::routes::{Route, TABLE, is_plain};
use crate::services::Services;
use crate::{Error, headers};

/// What all requests share.
#[derive(Clone)]
pub struct Gateway {
    /// Let callers in.
    pub callers: Callers,
    /// Answer.
    pub services: Services,
    /// The document of all routes.
    pub openapi: OpenApi,
}

/// The routes of the table and the gateway's own. Stripping is the outermost layer, so that not even the request's id is a
/// client's.
pub fn router(gateway: Gateway, clock: Clock) -> Router {
    let mut routes = Router::new().route(openapi::PATH, get(openapi::handler));
    for route in &TABLE {
        let Ok(method) = MethodFilter::try_from(route.method.clone()) else { continue };
        let handler = move |State(gateway): State<Gateway>, request| handle(gateway, route, request);
        routes = routes.route(route.path, on(method, handler));
    }
    request_log::around(routes.with_state(gateway), clock).layer(middleware::from_fn(headers::strip))
}

async fn handle(gateway: Gateway, route: &'static Route, request: Request) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    if !is_plain(parts.uri.path()) {
        return Err(Error::RouteNotFound);
    }
    let body = RequestBody::new(&parts.headers, body).map_err(|_| Error::BodyTooLarge)?;
    let caller = gateway.callers.admit(&parts.headers, route.access).await?;
    let (id, peer) = (request_id::current(), peer(&parts));
    headers::introduce(&mut parts.headers, caller.as_ref(), id.as_deref(), peer);
    let outcome = gateway.services.forward(route.service, route.limit, Request::from_parts(parts, body)).await;
    if let Err(error) = &outcome {
        let labels = [("service", route.service.as_str()), ("fault", error.fault())];
        metrics::counter!("forwards_failed_total", &labels).increment(1);
    }
    outcome
}

fn peer(parts: &Parts) -> Option<SocketAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}
