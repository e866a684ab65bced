//! Problem documents for requests that are none: the HTTP library refuses them before any code of ours sees them, with a
//! status and an empty body.

use axum::http::StatusCode;

use crate::Problem;
use crate::server::limits::HEAD_BYTES;

/// What to send in place of these bytes, when they are the library's own answer to a head that it could not read.
pub(super) fn document_for(bytes: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let (line, headers) = head.split_once("\r\n")?;
    let status = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?.get(..3)?;
    // Every answer of ours that is an error has a body.
    if !headers.split("\r\n").any(|header| header.eq_ignore_ascii_case("content-length: 0")) {
        return None;
    }
    let problem = match status {
        "400" => Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_request",
            "this is not HTTP/1.1 as RFC 9112 has it; look at the request line and the headers",
        ),
        "414" => Problem::new(StatusCode::URI_TOO_LONG, "uri_too_long", "ask with a shorter path and query"),
        "431" => Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head_too_large",
            format!("the request line and all headers, cookies among them, may have at most {HEAD_BYTES} bytes"),
        ),
        _ => return None,
    };
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let length = body.len();
    let document = format!(
        "{line}\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    Some(document.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_librarys_own_answer_is_replaced() {
        let own = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let document = String::from_utf8(document_for(own.as_bytes()).unwrap()).unwrap();
        assert!(document.starts_with("HTTP/1.1 431 "), "{document}");
        assert!(document.contains(r#""code":"head_too_large""#), "{document}");
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\nmore",
            "and so on\r\n\r\n",
            "",
        ] {
            assert_eq!(document_for(other.as_bytes()), None, "{other}");
        }
    }
}
