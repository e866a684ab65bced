//! What is passed on of a request and of an answer, and what is said to the service behind.
//!
//! Both are lists of what passes; whatever is not on them ends here, however it is spelled. So no client's header is ever
//! taken for one that a service believes. To let one through: [`PASSED_ON`] or [`ANSWERED`].

use std::net::IpAddr;

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use ecommerce_contract::headers::{
    API_KEY, CLIENT_ADDRESS, IDEMPOTENCY_KEY, REQUEST_ID, SESSION_ID, TRACEPARENT, USER_ID, USER_ROLES,
};

use crate::verified_tokens::VerifiedToken;

/// What the services read of a client's headers.
const PASSED_ON: [HeaderName; 8] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static(IDEMPOTENCY_KEY),
    HeaderName::from_static(TRACEPARENT),
    HeaderName::from_static("tracestate"),
];

/// What clients are told of a service's answer.
const ANSWERED: [HeaderName; 12] = [
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::RETRY_AFTER,
    header::VARY,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("x-accel-buffering"),
];

const API_KEY_NAME: HeaderName = HeaderName::from_static(API_KEY);
const CLIENT_ADDRESS_NAME: HeaderName = HeaderName::from_static(CLIENT_ADDRESS);
const REQUEST_ID_NAME: HeaderName = HeaderName::from_static(REQUEST_ID);
const SESSION_ID_NAME: HeaderName = HeaderName::from_static(SESSION_ID);
const USER_ID_NAME: HeaderName = HeaderName::from_static(USER_ID);
const USER_ROLES_NAME: HeaderName = HeaderName::from_static(USER_ROLES);

/// What the gateway knows of a request and the service believes.
pub(crate) struct Trusted<'a> {
    pub(crate) key: HeaderValue,
    pub(crate) token: Option<&'a VerifiedToken>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) client: Option<IpAddr>,
    /// Whether the service is to know what the client calls itself.
    pub(crate) with_user_agent: bool,
}

/// The headers that a service gets: of the client's what passes, and what the gateway says.
pub(crate) fn passed_on(client: &HeaderMap, trusted: Trusted<'_>) -> HeaderMap {
    let mut headers = picked(client, &PASSED_ON);
    for name in for_one_connection(client) {
        headers.remove(name);
    }
    if let (true, Some(agent)) = (trusted.with_user_agent, client.get(header::USER_AGENT)) {
        headers.insert(header::USER_AGENT, agent.clone());
    }
    headers.insert(API_KEY_NAME, trusted.key);
    if let Some(token) = trusted.token {
        headers.insert(USER_ID_NAME, token.user_id.clone());
        headers.insert(USER_ROLES_NAME, token.roles.clone());
        headers.insert(SESSION_ID_NAME, token.session_id.clone());
    }
    let mut say = |name, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    if let Some(id) = trusted.request_id {
        say(REQUEST_ID_NAME, id);
    }
    if let Some(address) = trusted.client {
        say(CLIENT_ADDRESS_NAME, &address.to_string());
    }
    headers
}

/// The headers of an answer that are for the client.
pub(crate) fn answered(service: &HeaderMap) -> HeaderMap {
    picked(service, &ANSWERED)
}

/// What a client lists in `Connection` is meant for the gateway and not for what lies behind (RFC 9110, section 7.6.1).
pub(crate) fn for_one_connection(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    let listed =
        headers.get_all(header::CONNECTION).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    listed.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
}

fn picked(headers: &HeaderMap, passing: &[HeaderName]) -> HeaderMap {
    let mut picked = HeaderMap::with_capacity(passing.len() * 2);
    for (name, value) in headers {
        if passing.contains(name) {
            picked.append(name, value.clone());
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use ecommerce_contract::headers::TRUSTED;

    use super::*;

    #[test]
    fn nothing_that_a_service_believes_passes() {
        for name in TRUSTED {
            let name = HeaderName::from_static(name);
            assert!(!PASSED_ON.contains(&name) && !ANSWERED.contains(&name), "{name}");
        }
    }

    #[test]
    fn an_answer_keeps_what_is_for_the_client() {
        let mut answer = HeaderMap::new();
        for (name, value) in [("etag", "\"1\""), ("server", "x"), ("x_user_id", "1"), ("transfer-encoding", "chunked")]
        {
            answer.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let kept = answered(&answer);
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["etag"]);
    }
}
