//! `/api/v1/auth/sessions`: the logins of the person of the access token.

pub(super) mod end;
pub(super) mod list;
