//! Who asks: the person for whom the gateway forwards a request, with the role that the route needs.
//!
//! The gateway has asked for the role before; the owner of the data asks again. A handler's first extractor is one of
//! [`Customer`], [`Staff`] and [`Admin`], so that nobody else learns what is wrong with a body.

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
    /// Whether the person is staff: who may see what is somebody else's.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.roles.include(Role::Staff)
    }

    fn of(parts: &Parts, role: Role) -> Result<Self, Problem> {
        let from_gateway = parts.extensions.get() == Some(&api_key::From(Service::Gateway));
        let caller = from_gateway.then(|| read(&parts.headers)).flatten().ok_or_else(|| {
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "login_required",
                "send `authorization: Bearer` with the access token of a login",
            )
        })?;
        if caller.roles.include(role) {
            return Ok(caller);
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "role_required", format!("this needs the role {role}")))
    }
}

/// A person who keeps the users.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

/// A person who may buy here; staff may as well.
#[derive(Debug, Clone)]
pub struct Customer(pub Caller);

/// A person who is staff.
#[derive(Debug, Clone)]
pub struct Staff(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Customer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Caller::of(parts, Role::Customer).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Caller::of(parts, Role::Staff).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Caller::of(parts, Role::Admin).map(Self)
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
