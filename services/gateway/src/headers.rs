//! What is taken from a request before anything reads it, and what is said of it to the service behind.
//!
//! To have a header believed by the services: [`TRUSTED`]. To keep one from passing in either direction: [`HOP_BY_HOP`].

use std::net::SocketAddr;

use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use ecommerce_contract::headers::{REQUEST_ID, SESSION_ID, TRUSTED, USER_ID, USER_ROLES};
use ecommerce_token::Claims;

/// Meant for one connection and not for what lies behind it (RFC 9110, section 7.6.1), beside those listed in `Connection`.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a client says of the way it came; the gateway says it itself.
const FORWARDED: [&str; 2] = ["forwarded", "x-real-ip"];
const FORWARDED_PREFIX: &str = "x-forwarded-";

/// What tells of the software behind.
const OF_THE_SERVER: [&str; 3] = ["server", "via", "x-powered-by"];

/// The outermost layer: whatever a client sends that looks like a trusted header is gone before anything reads it.
pub async fn strip(mut request: Request, next: Next) -> Response {
    remove_hop_by_hop(request.headers_mut());
    remove(request.headers_mut(), |name| {
        TRUSTED.contains(&name) || FORWARDED.contains(&name) || name.starts_with(FORWARDED_PREFIX)
    });
    next.run(request).await
}

/// Says to the service who asks and how the request came. The token ends here, and so do the client's framing and host.
pub fn introduce(headers: &mut HeaderMap, caller: Option<&Claims>, request_id: Option<&str>, peer: Option<SocketAddr>) {
    let host = headers.remove(header::HOST);
    for name in [header::AUTHORIZATION, header::CONTENT_LENGTH, header::EXPECT] {
        headers.remove(name);
    }
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    if let Some(claims) = caller {
        set(USER_ID, &claims.sub.to_string());
        set(USER_ROLES, &claims.roles.to_string());
        set(SESSION_ID, &claims.sid.to_string());
    }
    if let Some(id) = request_id {
        set(REQUEST_ID, id);
    }
    if let Some(peer) = peer {
        set("x-forwarded-for", &peer.ip().to_string());
    }
    if let Some(host) = host {
        headers.insert("x-forwarded-host", host);
    }
}

/// What of an answer is for the client.
pub fn clean_answer(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    remove(headers, |name| TRUSTED.contains(&name) || OF_THE_SERVER.contains(&name));
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    for name in listed {
        headers.remove(name);
    }
    remove(headers, |name| HOP_BY_HOP.contains(&name));
}

/// Removes by name, an underscore being read as the dash that a server behind may take it for.
fn remove(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| match name.as_str() {
            name if name.contains('_') => unwanted(&name.replace('_', "-")),
            name => unwanted(name),
        })
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn what_connection_lists_goes_with_it() {
        let mut some =
            headers(&[("connection", "close, X-One"), ("Connection", "x_two"), ("x-one", "1"), ("x_two", "2")]);
        remove_hop_by_hop(&mut some);
        assert_eq!(some, HeaderMap::new());
    }

    #[test]
    fn an_answer_keeps_what_is_for_the_client() {
        let mut some =
            headers(&[("etag", "\"1\""), ("server", "x"), ("x_user_id", "1"), ("transfer-encoding", "chunked")]);
        clean_answer(&mut some);
        assert_eq!(some, headers(&[("etag", "\"1\"")]));
    }
}
