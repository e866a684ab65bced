//! What is stored under a key.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An answer as it was first given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, byte for byte: JSON, and a problem document where the status is an error's.
    pub body: Vec<u8>,
}

impl StoredAnswer {
    /// An answer with this body as JSON.
    pub fn json<B: serde::Serialize>(status: StatusCode, body: &B) -> Result<Self, serde_json::Error> {
        Ok(Self { status: status.as_u16(), body: serde_json::to_vec(body)? })
    }

    /// The status as the table holds it.
    #[must_use]
    pub fn status_code(&self) -> i16 {
        i16::try_from(self.status).unwrap_or(500)
    }
}

impl IntoResponse for StoredAnswer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let is_problem = status.is_client_error() || status.is_server_error();
        let form = if is_problem { "application/problem+json" } else { "application/json" };
        let mut response = (status, Body::from(self.body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
        response
    }
}
