//! `GET /.well-known/jwks.json`

use axum::extract::State as Shared;
use axum::http::{HeaderName, header};
use ecommerce_http::extract::Json;
use ecommerce_token::Jwks;

use crate::state::State;

/// Read the public keys
///
/// What access tokens are signed with, as a JSON Web Key Set (RFC 7517).
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "auth",
    operation_id = "read_public_keys",
    responses((status = 200, description = "The keys", body = Jwks))
)]
pub(super) async fn handler(Shared(state): Shared<State>) -> ([(HeaderName, &'static str); 1], Json<Jwks>) {
    ([(header::CACHE_CONTROL, "public, max-age=60")], Json(state.keys.jwks()))
}
