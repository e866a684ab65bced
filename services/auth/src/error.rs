//! Why a request is refused or fails.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ecommerce_http::Problem;
use ecommerce_postgres::is_transient;
use ecommerce_types::Invalid;

use crate::domain::password::HashError;
use crate::throttle::TooMany;

/// Each with the status and the code that the client sees.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// 409 `email_taken`: there is a user with this address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// 422 `invalid_body`: the password is not good enough for this person in this shop.
    #[error("the password is refused: {0}")]
    Password(Invalid),
    /// 401 `wrong_credentials`: whether the address is unknown or the password wrong is not told.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// 401 `session_ended`: somebody has ended it, or its time is over.
    #[error("the session has ended")]
    SessionEnded,
    /// 403 `registration_closed`: admins alone make accounts here.
    #[error("registration is closed")]
    RegistrationClosed,
    /// 422 `wrong_password`: the present password is another one.
    #[error("the present password is wrong")]
    WrongPassword,
    /// 422 `invalid_reset_token`: the link is used up, too old, or none of ours.
    #[error("the link is used up, too old, or none of ours")]
    InvalidResetToken,
    /// 404 `user_not_found`.
    #[error("there is no such user")]
    UserNotFound,
    /// 404 `session_not_found`: the person has no such session that stands.
    #[error("there is no such session")]
    SessionNotFound,
    /// 409 `last_admin`: nobody could make another one.
    #[error("this is the last admin")]
    LastAdmin,
    /// 400 `invalid_cursor`: the cursor is none of this list's.
    #[error("the cursor is wrong: {0}")]
    Cursor(#[from] Invalid),
    /// 429 `too_many_attempts`: of this address, or at this account.
    #[error("too many attempts")]
    TooManyAttempts(TooMany),
    /// 503 `busy`: as many passwords are being hashed as fit.
    #[error("too many passwords at once")]
    Busy,
    /// 503 `sessions_unavailable`: Redis cannot take a new session, so nobody can log in.
    #[error("the session is unable to begin")]
    SessionsUnavailable(#[source] ecommerce_redis::Error),
    /// 503 `database_unavailable`, or 500 where trying again is of no use.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// 500 `internal`: a password was not hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// 500 `internal`: a token was not signed.
    #[error(transparent)]
    Sign(#[from] ecommerce_token::SignError),
}

impl From<TooMany> for Error {
    fn from(too_many: TooMany) -> Self {
        Self::TooManyAttempts(too_many)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::EmailTaken => Self::new(
                StatusCode::CONFLICT,
                "email_taken",
                "there is an account with this e-mail address; log in, or register with another",
            ),
            Error::Password(reason) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", format!("password: {reason}"))
            }
            Error::WrongCredentials => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "the e-mail address or the password is wrong")
            }
            Error::SessionEnded => {
                Self::new(StatusCode::UNAUTHORIZED, "session_ended", "the session has ended; log in again")
            }
            Error::RegistrationClosed => Self::new(
                StatusCode::FORBIDDEN,
                "registration_closed",
                "accounts are made by the shop's admins; ask one of them",
            ),
            Error::WrongPassword => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "wrong_password",
                "current_password is not the password of this account",
            ),
            Error::InvalidResetToken => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_reset_token",
                "the link has been used, is older than 30 minutes, or is none of this shop's; ask for another",
            ),
            Error::UserNotFound => Self::new(StatusCode::NOT_FOUND, "user_not_found", "there is no user with this id"),
            Error::SessionNotFound => Self::new(
                StatusCode::NOT_FOUND,
                "session_not_found",
                "you have no session with this id that has not ended",
            ),
            Error::LastAdmin => Self::new(
                StatusCode::CONFLICT,
                "last_admin",
                "this is the last admin who can log in; make another one first",
            ),
            Error::Cursor(reason) => Self::new(StatusCode::BAD_REQUEST, "invalid_cursor", reason.to_string()),
            Error::TooManyAttempts(TooMany { after }) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                "too many attempts from this address or at this account; try again later",
            )
            .retry_after(after.as_secs() + 1),
            Error::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "too many people log in or register at this moment; try again in a second",
            )
            .retry_after(1),
            Error::SessionsUnavailable(cause) => Self::unavailable("sessions_unavailable", &cause),
            Error::Database(cause) => Self::of_store("database_unavailable", is_transient(&cause), &cause),
            Error::Hash(cause) => Self::internal(&cause),
            Error::Sign(cause) => Self::internal(&cause),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = Problem::from(self).into_response();
        if response.status() == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: a 401 says how to do better.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
