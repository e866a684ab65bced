//! The table of routes: what is not in it is not there.
//!
//! To add one: a row, and its line in `tests/it/roles.rs`, which says once more who may. Nothing under `/internal/` may stand
//! here; a test sees to it.

use std::time::Duration;

use axum::http::Method;
use ecommerce_contract::Service::{self, Auth, Order, Payment, Product};
use ecommerce_types::Role;

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    /// Its method; a GET is also a HEAD.
    pub(crate) method: Method,
    /// Its path, as the router reads it.
    pub(crate) path: &'static str,
    /// The service that answers.
    pub(crate) service: Service,
    pub(crate) access: Access,
    /// How long the service may take to answer, and how long it may pause within an answer.
    pub(crate) limit: Duration,
    /// Whether the service does a write under an `Idempotency-Key` once, however often it is sent.
    pub(crate) keyed: bool,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everyone. A token that comes along is not looked at: a page for all is not refused to whom has just been logged out.
    Public,
    /// Whoever's roles reach this one.
    Needs(Role),
}

use Access::{Needs, Public};
const CUSTOMER: Access = Needs(Role::Customer);
const STAFF: Access = Needs(Role::Staff);
const ADMIN: Access = Needs(Role::Admin);

/// A look-up, or a write of one service alone.
const SHORT: Duration = Duration::from_secs(5);
/// A password is hashed, or an order is placed after the catalogue was asked.
const MEDIUM: Duration = Duration::from_secs(10);
/// A payment's provider is asked.
const LONG: Duration = Duration::from_secs(30);

/// Every route.
#[rustfmt::skip] // a table
pub(crate) static TABLE: &[Route] = &[
    route(Method::POST,   "/api/v1/auth/register",                   Auth,    Public,   MEDIUM),
    route(Method::POST,   "/api/v1/auth/login",                      Auth,    Public,   MEDIUM),
    route(Method::POST,   "/api/v1/auth/refresh",                    Auth,    Public,   SHORT),
    route(Method::POST,   "/api/v1/auth/logout",                     Auth,    CUSTOMER, SHORT),
    route(Method::GET,    "/api/v1/auth/me",                         Auth,    CUSTOMER, SHORT),
    route(Method::DELETE, "/api/v1/auth/me",                         Auth,    CUSTOMER, SHORT),
    route(Method::GET,    "/api/v1/auth/sessions",                   Auth,    CUSTOMER, SHORT),
    route(Method::DELETE, "/api/v1/auth/sessions/{id}",              Auth,    CUSTOMER, SHORT),
    route(Method::POST,   "/api/v1/auth/password",                   Auth,    CUSTOMER, MEDIUM),
    route(Method::POST,   "/api/v1/auth/password/forgot",            Auth,    Public,   SHORT),
    route(Method::POST,   "/api/v1/auth/password/reset",             Auth,    Public,   MEDIUM),
    route(Method::GET,    "/api/v1/users",                           Auth,    ADMIN,    SHORT),
    route(Method::POST,   "/api/v1/users",                           Auth,    ADMIN,    MEDIUM),
    route(Method::GET,    "/api/v1/users/{id}",                      Auth,    STAFF,    SHORT),
    route(Method::DELETE, "/api/v1/users/{id}",                      Auth,    ADMIN,    SHORT),
    route(Method::PUT,    "/api/v1/users/{id}/roles",                Auth,    ADMIN,    SHORT),
    route(Method::POST,   "/api/v1/users/{id}/disable",              Auth,    ADMIN,    SHORT),
    route(Method::POST,   "/api/v1/users/{id}/enable",               Auth,    ADMIN,    SHORT),
    route(Method::POST,   "/api/v1/users/{id}/password-reset",       Auth,    ADMIN,    SHORT),
    route(Method::GET,    "/.well-known/jwks.json",                  Auth,    Public,   SHORT),

    route(Method::GET,    "/api/v1/products",                        Product, Public,   SHORT),
    route(Method::POST,   "/api/v1/products",                        Product, STAFF,    SHORT),
    route(Method::PUT,    "/api/v1/products",                        Product, STAFF,    SHORT),
    route(Method::GET,    "/api/v1/products/{id}",                   Product, Public,   SHORT),
    route(Method::PATCH,  "/api/v1/products/{id}",                   Product, STAFF,    SHORT),
    route(Method::DELETE, "/api/v1/products/{id}",                   Product, STAFF,    SHORT),
    route(Method::GET,    "/api/v1/products/{id}/stock",             Product, STAFF,    SHORT),
    route(Method::PUT,    "/api/v1/products/{id}/stock",             Product, STAFF,    SHORT),
    route(Method::POST,   "/api/v1/products/{id}/stock/adjustments", Product, STAFF,    SHORT).keyed(),

    route(Method::GET,    "/api/v1/orders",                          Order,   CUSTOMER, SHORT),
    route(Method::POST,   "/api/v1/orders",                          Order,   CUSTOMER, MEDIUM).keyed(),
    route(Method::GET,    "/api/v1/orders/{id}",                     Order,   CUSTOMER, SHORT),
    route(Method::PATCH,  "/api/v1/orders/{id}",                     Order,   STAFF,    SHORT),
    route(Method::GET,    "/api/v1/orders/{id}/history",             Order,   CUSTOMER, SHORT),
    route(Method::POST,   "/api/v1/orders/{id}/cancel",              Order,   CUSTOMER, SHORT),
    route(Method::POST,   "/api/v1/orders/{id}/fulfil",              Order,   STAFF,    SHORT),

    route(Method::GET,    "/api/v1/payments",                        Payment, CUSTOMER, SHORT),
    route(Method::GET,    "/api/v1/payments/{id}",                   Payment, CUSTOMER, SHORT),
    route(Method::POST,   "/api/v1/payments/{id}/pay",               Payment, CUSTOMER, LONG).keyed(),
];

const fn route(method: Method, path: &'static str, service: Service, access: Access, limit: Duration) -> Route {
    Route { method, path, service, access, limit, keyed: false }
}

impl Route {
    const fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }
}

/// Whether a path is of the plain form that every path of the table has: segments of unreserved characters (RFC 3986,
/// section 2.3), none of them empty, `.` or `..`. Ids and names need no more, and what needs decoding could mean one route
/// here and another to the service behind.
#[must_use]
pub(crate) fn is_plain(path: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    path.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(unreserved))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_internal_is_routed() {
        assert!(TABLE.iter().all(|route| !route.path.contains("internal")));
        assert!(
            TABLE.iter().all(|route| route.path.starts_with("/api/v1/") || route.path.starts_with("/.well-known/"))
        );
    }

    #[test]
    fn a_path_that_two_readers_could_read_differently_is_not_plain() {
        for path in [
            "",
            "*",
            "/",
            "//",
            "/a/",
            "/a//b",
            "/a/..",
            "/a/./b",
            "/%61",
            "/a%2fb",
            "/a%2Fb",
            "/%2e%2e/a",
            "/a\\b",
            "/a;b",
        ] {
            assert!(!is_plain(path), "{path}");
        }
        for path in ["/a", "/.well-known/jwks.json", "/api/v1/products/0199-a_b~c.d"] {
            assert!(is_plain(path), "{path}");
        }
    }
}
