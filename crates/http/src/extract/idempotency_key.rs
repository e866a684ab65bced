//! The key that names a write.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use ecommerce_contract::headers;

use crate::Problem;

/// The `Idempotency-Key` of a request: 1 to 255 printable ASCII characters, chosen by the client for one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(headers::IDEMPOTENCY_KEY).iter();
        let malformed = || {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_malformed",
                "send one Idempotency-Key of 1 to 255 printable ASCII characters, such as a UUID",
            )
        };
        let (value, another) = (values.next(), values.next());
        let value = value.ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_missing",
                "send an Idempotency-Key header, such as a new UUID; sent again with the same key, the request is done once",
            )
        })?;
        let key = value.to_str().ok().filter(|key| another.is_none() && (1..=255).contains(&key.len()));
        key.map(|key| Self(key.to_owned())).ok_or_else(malformed)
    }
}
