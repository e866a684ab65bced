//! What a client reaches, through the gateway. A file stands where its path does.

mod auth;
mod client;
mod jwks;
mod users;

use axum::Router;
use ecommerce_http::{behind_gateway, document as api_document};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::State;

#[derive(OpenApi)]
#[openapi(info(title = "auth", description = "Users, their logins and their sessions."), tags((name = "auth"), (name = "users")))]
struct Document;

/// All routes. The public keys are for everyone who may reach this port.
pub(crate) fn router() -> Router<State> {
    behind_gateway(document(), Router::from(for_gateway())).merge(Router::from(for_everyone()))
}

/// The OpenAPI document of these routes, as JSON.
pub fn openapi() -> Result<String, serde_json::Error> {
    document().to_pretty_json()
}

fn document() -> utoipa::openapi::OpenApi {
    let routes = OpenApiRouter::with_openapi(Document::openapi()).merge(for_gateway()).merge(for_everyone());
    api_document::complete(routes.into_openapi())
}

fn for_gateway() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(auth::router()).merge(users::router())
}

fn for_everyone() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(jwks::handler))
}
