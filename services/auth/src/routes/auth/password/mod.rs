//! `/api/v1/auth/password`: changed by who knows it, set by who has a link.

pub(super) mod change;
pub(super) mod forgot;
pub(super) mod reset;
