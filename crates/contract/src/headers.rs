//! Headers that mean something between the services.

/// The key of the edge on which a request comes.
pub const API_KEY: &str = "x-api-key";
/// Follows one request through every service and every event it causes.
pub const REQUEST_ID: &str = "x-request-id";
/// The session of the token that the gateway verified.
pub const SESSION_ID: &str = "x-session-id";
/// The roles of the token that the gateway verified, separated by commas.
pub const USER_ROLES: &str = "x-user-roles";
/// The user of the token that the gateway verified.
pub const USER_ID: &str = "x-user-id";

/// The address of the client, as the gateway found it.
pub const CLIENT_ADDRESS: &str = "x-client-address";

/// What a service believes when it stands beside the right key, and what the gateway therefore takes from every request
/// that comes from outside, however it is spelled.
pub const TRUSTED: [&str; 6] = [API_KEY, CLIENT_ADDRESS, REQUEST_ID, SESSION_ID, USER_ID, USER_ROLES];

/// On an answer: the callee did not know the caller's key. Never passed on to a client.
pub const EDGE_REFUSED: &str = "x-edge-refused";

/// W3C Trace Context, level 1.
pub const TRACEPARENT: &str = "traceparent";
/// Names a write, so that a repeated one is answered and not repeated (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
