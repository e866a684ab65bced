//! Problem documents (RFC 9457): the one form of every error answer.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ecommerce_runtime::{ErrorChain, request_id};
use serde::{Deserialize, Serialize};

/// An error answer. `code` is stable and for programs, `detail` says to a person what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// The status in words.
    #[schema(example = "Not Found")]
    pub title: String,
    /// What happened, as a stable word.
    #[schema(example = "order_not_found")]
    pub code: String,
    /// What to do; absent when the fault is not the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Quote this when asking for help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Seconds after which to try again, also sent as `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem with a stable code and a sentence for the person who sent the request.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::without_detail(status, code) }
    }

    /// A fault of ours: the cause goes to the log, once, and not to the client.
    #[must_use]
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %ErrorChain(cause), "request failed");
        Self::without_detail(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }

    /// Something that this service needs is away for now: the cause goes to the log, the client may try again.
    #[must_use]
    pub fn unavailable(code: &str, cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error = %ErrorChain(cause), "request unable to be served for now");
        Self::without_detail(StatusCode::SERVICE_UNAVAILABLE, code).retry_after(1)
    }

    /// A store did not do its part: what may pass by itself is 503, what may not is 500.
    #[must_use]
    pub fn of_store(code: &str, is_transient: bool, cause: &(dyn std::error::Error + 'static)) -> Self {
        if is_transient { Self::unavailable(code, cause) } else { Self::internal(cause) }
    }

    /// A handler panicked; where and why, the panic itself has said.
    #[must_use]
    pub(crate) fn panicked() -> Self {
        tracing::error!("a handler panicked");
        Self::without_detail(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    fn without_detail(status: StatusCode, code: &str) -> Self {
        Self {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Unknown").to_owned(),
            code: code.to_owned(),
            detail: None,
            request_id: None,
            retry_after: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.request_id = request_id::current();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer to a path that is not there.
pub async fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "route_not_found",
        "there is nothing at this path; /openapi.json lists what there is",
    )
}

/// The answer to a method that a path does not know.
pub async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path is there, but not for this method")
}
