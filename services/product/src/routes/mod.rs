//! The table of contents: `/api/v1/products` for the gateway, `/internal/products` for order.

mod internal;
mod products;
mod staff;

use axum::routing::get;
use axum::{Json, Router, middleware};
use ecommerce_contract::Service;
use ecommerce_http::api_key::{self, Door, KnownKeys};
use ecommerce_http::document;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::State;

#[derive(OpenApi)]
#[openapi(info(title = "product", description = "What the shop sells, what it costs, and how many there are."), tags((name = "product")))]
struct Document;

/// All routes, each behind the keys of those who may call it.
pub(crate) fn router(state: State, keys: KnownKeys) -> Router {
    let (routes, document) = (Router::from(described()), openapi());
    let gateway = Door { keys: keys.clone(), callers: &[Service::Gateway] };
    let order = Door { keys, callers: &[Service::Order] };
    routes
        .route("/openapi.json", get(|| async { Json(document) }))
        .route_layer(middleware::from_fn_with_state(gateway, api_key::require))
        .merge(internal::router().route_layer(middleware::from_fn_with_state(order, api_key::require)))
        .with_state(state)
}

/// The OpenAPI document of what the gateway may route, and so of nothing internal.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::complete(described().into_openapi())
}

fn described() -> OpenApiRouter<State> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(products::router())
}
