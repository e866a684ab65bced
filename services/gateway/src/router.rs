//! The way of a request through the gateway, in its order.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::response::IntoResponse as _;
use axum::routing::{MethodFilter, get, on};
use ecommerce_http::ClientAddress;
use ecommerce_http::request_log::By;

use crate::admission::Admission;
use crate::metrics::FORWARDS_FAILED;
use crate::routes::{Route, TABLE, is_plain};
use crate::services::{Forwarded, Services, Upstream};
use crate::{BuildError, Error, body, host, openapi};

/// What all requests share.
struct Gateway {
    admission: Admission,
    services: Services,
}

/// The routes of the table and the gateway's own. A row that cannot be served is an error now, and not a silence later.
pub(crate) fn router(admission: Admission, services: Services) -> Result<Router, BuildError> {
    let mut routes = Router::new().route(openapi::PATH, get(openapi::handler));
    let gateway = Arc::new(Gateway { admission, services });
    for route in TABLE {
        let unserved = || BuildError::Route(format!("{} {}", route.method, route.path));
        let method = MethodFilter::try_from(route.method.clone()).map_err(|_| unserved())?;
        let upstream = gateway.services.upstream(route.service).ok_or_else(unserved)?;
        let handler = move |State(gateway): State<Arc<Gateway>>, request| async move {
            gateway.handle(route, &upstream, request).await
        };
        routes = routes.route(route.path, on(method, handler));
    }
    Ok(routes.with_state(gateway))
}

impl Gateway {
    async fn handle(&self, route: &'static Route, upstream: &Upstream, request: Request) -> Response<Body> {
        let mut by = None;
        let answer = self.forward(route, upstream, request, &mut by).await;
        let mut response = answer.unwrap_or_else(|error| {
            if let Some(fault) = error.fault() {
                FORWARDS_FAILED.increment([route.service.as_str(), fault]);
            }
            error.into_response()
        });
        if let Some(by) = by {
            response.extensions_mut().insert(by);
        }
        response
    }

    async fn forward(
        &self,
        route: &'static Route,
        upstream: &Upstream,
        request: Request,
        by: &mut Option<By>,
    ) -> Result<Response<Body>, Error> {
        let (parts, body) = request.into_parts();
        if !is_plain(parts.uri.path()) {
            return Err(Error::RouteNotFound);
        }
        if !host::is_plain(&parts) {
            return Err(Error::HostUnclear);
        }
        body::check(&parts.headers)?;
        let client = parts.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
        let token = self.admission.admit(&parts.headers, client, route.access).await?;
        *by = token.as_ref().map(|token| By(token.claims.sub));
        let body = body::collect(body, route.limit).await?;
        let forwarded = Forwarded { parts: &parts, body, token: token.as_deref(), client };
        self.services.forward(upstream, route, forwarded).await
    }
}
