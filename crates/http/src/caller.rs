//! Who asks: the person for whom the gateway forwards a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use ecommerce_contract::{Service, headers};
use ecommerce_types::{Role, Roles, SessionId, UserId};

use crate::{Problem, api_key};

/// The person behind a request, as the gateway says. Believed only beside the gateway's key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person.
    pub user_id: UserId,
    /// The session of the person's token.
    pub session_id: SessionId,
    /// What the person may do.
    pub roles: Roles,
}

impl Caller {
    /// Refuses a person whose roles do not reach `role`: the data's owner asks again what the gateway has asked already.
    pub fn require(&self, role: Role) -> Result<(), Problem> {
        if self.roles.include(role) {
            return Ok(());
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "role_required", format!("this needs the role {role}")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let from_gateway = parts.extensions.get() == Some(&api_key::From(Service::Gateway));
        let caller = from_gateway.then(|| read(&parts.headers)).flatten();
        caller.ok_or_else(|| {
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "login_required",
                "send `authorization: Bearer` with the access token of a login",
            )
        })
    }
}

fn read(headers: &HeaderMap) -> Option<Caller> {
    let text = |name| headers.get(name)?.to_str().ok();
    Some(Caller {
        user_id: text(headers::USER_ID)?.parse().ok()?,
        session_id: text(headers::SESSION_ID)?.parse().ok()?,
        roles: text(headers::USER_ROLES)?.parse().ok()?,
    })
}
