//! What a client reaches, through the gateway.

mod orders;

use axum::Router;
use ecommerce_http::{behind_gateway, document};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::state::State;

#[derive(OpenApi)]
#[openapi(info(title = "order", description = "Orders: taken once, then paid or given back."), tags((name = "orders")))]
struct Document;

pub(crate) fn router() -> Router<State> {
    behind_gateway(complete(), Router::from(described()))
}

/// The OpenAPI document of these routes, as JSON.
pub fn openapi() -> Result<String, serde_json::Error> {
    complete().to_pretty_json()
}

fn complete() -> utoipa::openapi::OpenApi {
    document::complete(described().into_openapi())
}

fn described() -> OpenApiRouter<State> {
    OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1/orders", orders::router())
}
