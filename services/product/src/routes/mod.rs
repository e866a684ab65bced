//! The table of contents: `/api/v1/products` for the gateway, `/internal/products` for order.

mod internal;
mod products;

use axum::Router;
use ecommerce_contract::Service;
use ecommerce_http::api_key::only_for;
use ecommerce_http::{behind_gateway, document};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::state::State;

#[derive(OpenApi)]
#[openapi(info(title = "product", description = "What the shop sells, what it costs, and how many there are."), tags((name = "product")))]
struct Document;

/// All routes, each open to those who may call it.
pub(crate) fn router() -> Router<State> {
    behind_gateway(complete(), Router::from(described())).merge(only_for(&[Service::Order], internal::router()))
}

/// The OpenAPI document of what the gateway may route, and so of nothing internal, as JSON.
pub fn openapi() -> Result<String, serde_json::Error> {
    complete().to_pretty_json()
}

fn complete() -> utoipa::openapi::OpenApi {
    document::complete(described().into_openapi())
}

fn described() -> OpenApiRouter<State> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(products::router())
}
