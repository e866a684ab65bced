//! People with a login.

use ecommerce_types::{Email, Roles, UserId};
use serde::Serialize;
use time::OffsetDateTime;

use super::PersonName;

/// A person, as the person and the staff may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct User {
    /// The id, for ever.
    pub(crate) id: UserId,
    /// The address that the person logs in with.
    pub(crate) email: Email,
    /// What the person is called.
    pub(crate) name: PersonName,
    /// What the person may do.
    pub(crate) roles: Roles,
    /// When the account was made.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// Since when nobody may log in with it; absent while somebody may.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub(crate) disabled_at: Option<OffsetDateTime>,
}
