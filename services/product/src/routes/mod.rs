//! The table of contents: `/api/v1/products` for the gateway, `/internal/products` for order.

mod internal;
mod products;
mod staff;

use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Json, Router};
use ecommerce_contract::Service;
use ecommerce_http::api_key::{self, Door, KnownKeys};
use ecommerce_types::Clock;
use sqlx::PgPool;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::catalogue::Catalogue;

/// What every handler has.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The database.
    pub pool: PgPool,
    /// The time, and ids.
    pub clock: Clock,
    /// What everybody reads.
    pub catalogue: Catalogue,
}

#[derive(utoipa::OpenApi)]
#[openapi(info(title = "Product", description = "What the shop sells, what it costs, and how many there are."))]
struct Document;

/// All routes, each behind the keys of those who may call it.
pub fn router(state: AppState, keys: &KnownKeys) -> Router {
    let door = |callers| from_fn_with_state(Door { keys: keys.clone(), callers }, api_key::require);
    let (api, document) = api().split_for_parts();
    let api = api.route("/openapi.json", get(|| async { Json(document) }));
    let api = api.route_layer(door(&[Service::Gateway]));
    let internal = internal::router().route_layer(door(&[Service::Order]));
    api.merge(internal).with_state(state)
}

/// The OpenAPI document: what the gateway may route, and so nothing internal.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    api().into_openapi()
}

fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(products::router())
}
