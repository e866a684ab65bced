//! What a client reaches, through the gateway.

mod orders;

use axum::routing::get;
use axum::{Json, Router, middleware};
use ecommerce_contract::Service;
use ecommerce_http::api_key::{self, Door, KnownKeys};
use ecommerce_http::document;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::State;

#[derive(OpenApi)]
#[openapi(info(title = "order", description = "Orders: taken once, then paid or given back."), tags((name = "orders")))]
struct Document;

/// All routes: each needs the gateway's key.
pub(crate) fn router(state: State, keys: KnownKeys) -> Router {
    let document = openapi();
    let gateway = Door { keys, callers: &[Service::Gateway] };
    Router::from(described().with_state(state))
        .route("/openapi.json", get(|| async { Json(document) }))
        .route_layer(middleware::from_fn_with_state(gateway, api_key::require))
}

/// The OpenAPI document of these routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::complete(described().into_openapi())
}

fn described() -> OpenApiRouter<State> {
    OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1/orders", orders::router())
}
