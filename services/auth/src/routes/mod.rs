//! What a client reaches, through the gateway.

mod jwks;
mod login;
mod logout;
mod me;
mod register;

use axum::routing::get;
use axum::{Json, Router, middleware};
use ecommerce_contract::Service;
use ecommerce_http::api_key::{self, Door, KnownKeys};
use ecommerce_http::document;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;

#[derive(OpenApi)]
#[openapi(info(title = "auth", description = "Users, their logins and their sessions."), tags((name = "auth")))]
struct Document;

/// All routes. What is public for everyone who may reach this port needs no key: the public keys and the document.
pub(crate) fn router(state: State, keys: KnownKeys) -> Router {
    let gateway = Door { keys, callers: &[Service::Gateway] };
    let document = openapi();
    let behind_key = Router::from(described()).route_layer(middleware::from_fn_with_state(gateway, api_key::require));
    Router::from(public()).merge(behind_key).with_state(state).route("/openapi.json", get(|| async { Json(document) }))
}

/// The OpenAPI document of these routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let routes = OpenApiRouter::with_openapi(Document::openapi()).merge(described()).merge(public());
    document::complete(routes.into_openapi())
}

fn described() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(register::handler))
        .routes(routes!(login::handler))
        .routes(routes!(logout::handler))
        .routes(routes!(me::handler))
}

fn public() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(jwks::handler))
}
