//! Writes that a client may send again: the key, the effect and the stored answer commit together.
//!
//! In a handler: [`find`] before anything costly, then [`claim`] as the first statement of the transaction, then the effect,
//! then [`store`] as its last.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ecommerce_http::extract::IdempotencyKey;
use ecommerce_http::{Caller, Problem};
use ecommerce_types::UserId;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

/// One write of one person: a key belongs to a user, a method and a path.
#[derive(Debug, Clone)]
pub struct Scope {
    user_id: UserId,
    method: String,
    path: String,
    key: String,
    request_hash: Vec<u8>,
}

impl Scope {
    /// The scope of a request whose parsed body is `body`; two bodies are the same when they mean the same.
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
            request_hash: Sha256::digest(serde_json::to_vec(body)?).to_vec(),
        })
    }

    /// The number under which two requests with the same key exclude each other.
    fn lock(&self) -> i64 {
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

/// An answer as it was first given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with this body as JSON.
    pub fn json<B: serde::Serialize>(status: StatusCode, body: &B) -> Result<Self, serde_json::Error> {
        Ok(Self { status: status.as_u16(), body: serde_json::to_vec(body)? })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Body::from(self.body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// Why a write with a key is not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 409: the first request with this key has not ended.
    #[error("a request with this key is still running")]
    Running,
    /// 422: the key has named another request.
    #[error("this key has named another request")]
    Reused,
    /// The answer cannot be written down.
    #[error("failed to write the answer as JSON")]
    Json(#[from] serde_json::Error),
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Running => Self::new(
                StatusCode::CONFLICT,
                "idempotency_key_in_use",
                "the first request with this Idempotency-Key is still running; send it again in a moment",
            )
            .retry_after(1),
            Error::Reused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key has named a request with another body; use a new key for a new request",
            ),
            Error::Json(cause) => Self::internal(cause),
            Error::Database(cause) => crate::problem(cause),
        }
    }
}

/// The answer that was given to this write, if it is done.
pub async fn find(connection: &mut PgConnection, scope: &Scope) -> Result<Option<Answer>, Error> {
    let stored = sqlx::query!(
        "select request_hash, status, body from idempotency_keys
         where user_id = $1 and method = $2 and path = $3 and key = $4",
        scope.user_id.0,
        scope.method,
        scope.path,
        scope.key
    )
    .fetch_optional(connection)
    .await?;
    match stored {
        None => Ok(None),
        Some(row) if row.request_hash != scope.request_hash => Err(Error::Reused),
        Some(row) => Ok(Some(Answer { status: u16::try_from(row.status).unwrap_or(500), body: row.body })),
    }
}

/// Takes the key for this transaction, or answers what was answered before.
///
/// It tries the lock and does not wait for it: a client that repeats itself would otherwise drain the pool. A refusal is to be
/// rolled back before it is answered: a transaction that is only dropped ends a moment later, and the key with it.
pub async fn claim(transaction: &mut PgConnection, scope: &Scope) -> Result<Option<Answer>, Error> {
    let locked = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "locked!""#, scope.lock())
        .fetch_one(&mut *transaction)
        .await?;
    if !locked {
        // Who holds the lock may have the answer already, as when a write is repeated twice.
        return find(transaction, scope).await?.map(Some).ok_or(Error::Running);
    }
    find(transaction, scope).await
}

/// Stores the answer beside the effect.
pub async fn store(transaction: &mut PgConnection, scope: &Scope, answer: &Answer) -> Result<(), Error> {
    sqlx::query!(
        "insert into idempotency_keys (user_id, method, path, key, request_hash, status, body)
         values ($1, $2, $3, $4, $5, $6, $7)",
        scope.user_id.0,
        scope.method,
        scope.path,
        scope.key,
        scope.request_hash,
        i16::try_from(answer.status).unwrap_or(500),
        answer.body
    )
    .execute(transaction)
    .await?;
    Ok(())
}
