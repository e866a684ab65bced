//! `/api/v1/auth/me`: the person of the access token.

pub(super) mod delete;
pub(super) mod read;
