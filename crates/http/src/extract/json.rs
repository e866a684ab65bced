//! JSON bodies.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Problem;

/// What some tools write before JSON; RFC 8259, section 8.1, lets a reader pass over it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A JSON body, both ways. Types that are read say `deny_unknown_fields`, so that a misspelt field is no silence.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send the body as JSON, with the header `content-type: application/json`",
            ));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| unreadable(&rejection))?;
        let json = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
        match axum::Json::<T>::from_bytes(json) {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(malformed(&rejection)),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn unreadable(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("the body may have at most {} bytes", crate::BODY_LIMIT);
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail);
    }
    Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", "the body ended early; send the request again")
}

fn malformed(rejection: &JsonRejection) -> Problem {
    match rejection {
        JsonRejection::JsonDataError(error) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", innermost(error))
        }
        other => Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_json",
            format!("the body is not JSON: {}", innermost(other)),
        ),
    }
}

/// The sentence of the parser itself, without those of the layers above it.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::Value;

    use super::*;

    async fn read(content_type: &str, body: &'static [u8]) -> Result<Value, Problem> {
        let request = Request::builder().header("content-type", content_type).body(Body::from(body)).unwrap();
        Json::from_request(request, &()).await.map(|Json(value)| value)
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_passed_over() {
        assert_eq!(read("application/json", b"\xef\xbb\xbf[1]").await.unwrap(), serde_json::json!([1]));
        assert_eq!(read("application/json", b"\xef\xbb\xbf").await.unwrap_err().code, "malformed_json");
    }

    #[tokio::test]
    async fn json_is_called_json_in_any_of_its_spellings() {
        for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(read(content_type, b"[]").await.is_ok(), "{content_type}");
        }
        for content_type in ["", "text/plain", "application/jsonp", "text/json"] {
            assert_eq!(read(content_type, b"[]").await.unwrap_err().code, "unsupported_media_type", "{content_type}");
        }
    }
}
