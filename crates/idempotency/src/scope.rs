//! One write of one person, as its key names it.

use axum::http::Method;
use ecommerce_http::Caller;
use ecommerce_http::extract::IdempotencyKey;
use ecommerce_types::UserId;
use sha2::{Digest as _, Sha256};

/// A key belongs to a user, a method and a path, and names one request.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whose write.
    pub user_id: UserId,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// The client's name for it.
    pub key: String,
    /// The [`fingerprint`] of its body.
    pub fingerprint: Vec<u8>,
}

impl Scope {
    /// The scope of a request whose parsed body is `body`.
    pub fn new<B: serde::Serialize>(
        caller: &Caller,
        method: &Method,
        path: &str,
        key: &IdempotencyKey,
        body: &B,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            user_id: caller.user_id,
            method: method.to_string(),
            path: path.to_owned(),
            key: key.as_str().to_owned(),
            fingerprint: fingerprint(body)?,
        })
    }

    /// The number under which two requests with the same key exclude each other.
    #[must_use]
    pub fn lock(&self) -> i64 {
        let digest = Sha256::new()
            .chain_update(self.user_id.0)
            .chain_update(&self.method)
            .chain_update([0])
            .chain_update(&self.path)
            .chain_update([0])
            .chain_update(&self.key)
            .finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(first)
    }
}

/// The SHA-256 of a parsed body: two bodies are the same when they mean the same.
pub fn fingerprint<B: serde::Serialize>(body: &B) -> Result<Vec<u8>, serde_json::Error> {
    Ok(Sha256::digest(serde_json::to_vec(body)?).to_vec())
}
