//! `GET /.well-known/jwks.json`

use axum::extract::State as Shared;
use axum::http::{HeaderName, header};
use ecommerce_http::extract::Json;
use ecommerce_token::Jwks;

use crate::state::State;

/// The public keys that access tokens are signed with (RFC 7517).
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "auth",
    responses((status = 200, description = "the keys", body = Jwks))
)]
pub(super) async fn handler(Shared(state): Shared<State>) -> ([(HeaderName, &'static str); 1], Json<Jwks>) {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(state.signer.jwks()))
}
