//! Why a request is not forwarded, or its answer not given.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ecommerce_contract::Service;
use ecommerce_http::{BODY_LIMIT, Problem};
use ecommerce_runtime::ErrorChain;
use ecommerce_types::Role;
use hyper_util::client::legacy;

use crate::bad_tokens::WINDOW;

/// Each with the status and the code that the client sees.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// 404 `route_not_found`: the path is not one of the table's.
    #[error("there is nothing at this path")]
    RouteNotFound,
    /// 400 `unreadable_body`: the client did not send its body to the end.
    #[error("the request's body ended early")]
    BodyUnreadable,
    /// 408 `body_too_slow`: the client took longer to send its body than the route may take as a whole.
    #[error("the request's body did not come in time")]
    BodyTooSlow,
    /// 413 `body_too_large`.
    #[error("the request's body is over the limit")]
    BodyTooLarge,
    /// 415 `unsupported_content_encoding`: the body is packed (RFC 9110, section 15.5.16).
    #[error("the request's body is packed")]
    BodyEncoded,
    /// 400 `host_unclear`: the request says for no host, or for two, that it is.
    #[error("the request names no host, or several")]
    HostUnclear,
    /// 401 `login_required`: there is no token.
    #[error("there is no access token")]
    LoginRequired,
    /// 401 `token_invalid`: this stack did not make the token, or not for now.
    #[error("the access token is not valid")]
    TokenInvalid,
    /// 401 `token_invalid`: a key of this stack is said to have signed the token, and has not.
    #[error("the access token is forged")]
    TokenForged,
    /// 401 `token_expired`.
    #[error("the access token has expired")]
    TokenExpired,
    /// 401 `token_outdated`: the user's roles have changed since the token was made.
    #[error("the access token holds roles of the past")]
    TokenOutdated,
    /// 401 `session_ended`.
    #[error("the session has ended")]
    SessionEnded,
    /// 429 `too_many_bad_tokens`: this address has sent too many that are none.
    #[error("too many tokens of this address are not valid")]
    TooManyBadTokens,
    /// 403 `role_required`.
    #[error("the user's roles do not reach {0}")]
    RoleRequired(Role),
    /// 503 `keys_unavailable`: auth has not given its public keys yet.
    #[error("the keys of access tokens are not known yet")]
    KeysUnavailable,
    /// 503 `sessions_unavailable`: Redis is away, and the last answer is too old to stand.
    #[error("the session is unable to be looked up")]
    SessionsUnavailable,
    /// 503 `service_unavailable`: no connection to the service; nothing was sent.
    #[error("unable to reach {0}")]
    ServiceUnavailable(Service, #[source] legacy::Error),
    /// 502 `answer_broken`: the connection ended before the answer; what the service has done is not known.
    #[error("failed to get an answer of {0}")]
    AnswerBroken(Service, #[source] legacy::Error),
    /// 504 `answer_too_late`: what the service has done, or still does, is not known.
    #[error("{0} did not answer in time")]
    AnswerTooLate(Service),
    /// 503 `service_unavailable`: the service does not know the gateway's key; a fault of ours, and not the caller's.
    #[error("{0} refuses the gateway's key")]
    EdgeRefused(Service),
}

/// Seconds after which it is worth asking again.
const SOON: u64 = 1;

impl Error {
    fn problem(&self) -> Problem {
        match self {
            Self::RouteNotFound => Problem::new(
                StatusCode::NOT_FOUND,
                "route_not_found",
                "there is nothing at this path; /openapi.json lists what there is",
            ),
            Self::BodyUnreadable => {
                Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", "the body ended early; send the request again")
            }
            Self::BodyTooSlow => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "the body did not come in time; send it at once",
            ),
            Self::BodyTooLarge => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("the body may have at most {BODY_LIMIT} bytes"),
            ),
            Self::BodyEncoded => Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_content_encoding",
                "send the body as it is, without `content-encoding`",
            ),
            Self::HostUnclear => Problem::new(
                StatusCode::BAD_REQUEST,
                "host_unclear",
                "send one Host header with one host, the same as in the request line if that names one",
            ),
            Self::LoginRequired => {
                unauthorized("login_required", "send `authorization: Bearer` with the access token of a login")
            }
            Self::TokenInvalid | Self::TokenForged => {
                unauthorized("token_invalid", "this is not an access token of this shop; log in")
            }
            Self::TokenExpired => unauthorized("token_expired", "the access token has expired; get a new one"),
            Self::TokenOutdated => {
                unauthorized("token_outdated", "the roles have changed since this token was made; get a new one")
            }
            Self::SessionEnded => {
                unauthorized("session_ended", "the session of this token has ended; refresh once, or log in again")
            }
            Self::TooManyBadTokens => Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_bad_tokens",
                "too many tokens from this address are not valid; try again in a few seconds",
            )
            .retry_after(WINDOW.as_secs()),
            Self::RoleRequired(role) => {
                Problem::new(StatusCode::FORBIDDEN, "role_required", format!("this needs the role {role}"))
            }
            Self::KeysUnavailable => self.ours(StatusCode::SERVICE_UNAVAILABLE, "keys_unavailable").retry_after(SOON),
            Self::SessionsUnavailable => {
                self.ours(StatusCode::SERVICE_UNAVAILABLE, "sessions_unavailable").retry_after(SOON)
            }
            Self::ServiceUnavailable(..) | Self::EdgeRefused(_) => {
                self.ours(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable").retry_after(SOON)
            }
            Self::AnswerBroken(..) => self.ours(StatusCode::BAD_GATEWAY, "answer_broken"),
            Self::AnswerTooLate(_) => self.ours(StatusCode::GATEWAY_TIMEOUT, "answer_too_late"),
        }
    }

    /// What was at fault between the gateway and the service, for the metrics; `None` where the request was not forwarded.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        match self {
            Self::ServiceUnavailable(..) => Some("connection"),
            Self::EdgeRefused(_) => Some("key"),
            Self::AnswerBroken(..) => Some("broken"),
            Self::AnswerTooLate(_) => Some("late"),
            Self::RouteNotFound
            | Self::BodyUnreadable
            | Self::BodyTooSlow
            | Self::BodyTooLarge
            | Self::BodyEncoded
            | Self::HostUnclear
            | Self::LoginRequired
            | Self::TokenInvalid
            | Self::TokenForged
            | Self::TokenExpired
            | Self::TokenOutdated
            | Self::SessionEnded
            | Self::TooManyBadTokens
            | Self::RoleRequired(_)
            | Self::KeysUnavailable
            | Self::SessionsUnavailable => None,
        }
    }

    /// Not the client's fault: the cause goes to the log, the client gets the code.
    fn ours(&self, status: StatusCode, code: &str) -> Problem {
        tracing::warn!(error = %ErrorChain(self), "request unable to be forwarded");
        let mut problem = Problem::new(status, code, String::new());
        problem.detail = None;
        problem
    }

    /// What RFC 6750, section 3, has a 401 say: no more than the scheme to whom sent no token.
    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::LoginRequired => Some(HeaderValue::from_static("Bearer")),
            Self::TokenInvalid | Self::TokenForged | Self::TokenExpired | Self::TokenOutdated | Self::SessionEnded => {
                Some(HeaderValue::from_static("Bearer error=\"invalid_token\""))
            }
            Self::RouteNotFound
            | Self::BodyUnreadable
            | Self::BodyTooSlow
            | Self::BodyTooLarge
            | Self::RoleRequired(_)
            | Self::KeysUnavailable
            | Self::SessionsUnavailable
            | Self::ServiceUnavailable(..)
            | Self::AnswerBroken(..)
            | Self::AnswerTooLate(_)
            | Self::EdgeRefused(_)
            | Self::BodyEncoded
            | Self::HostUnclear
            | Self::TooManyBadTokens => None,
        }
    }
}

fn unauthorized(code: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.problem().into_response();
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
