//! The routes of a service that clients reach through the gateway.

use axum::routing::get;
use axum::{Json, Router};
use ecommerce_contract::Service;
use utoipa::openapi::OpenApi;

use crate::api_key::only_for;

/// These routes and their document at `/openapi.json`, open to the gateway alone.
pub fn behind_gateway<S: Clone + Send + Sync + 'static>(document: OpenApi, routes: Router<S>) -> Router<S> {
    only_for(&[Service::Gateway], routes.route("/openapi.json", get(|| async { Json(document) })))
}
