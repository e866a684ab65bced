//! Logins as the person sees them.

use std::net::IpAddr;

use ecommerce_types::SessionId;
use serde::Serialize;
use time::OffsetDateTime;

/// From where somebody logs in, as far as that is known: so that the person finds the one that is not theirs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Client {
    pub(crate) address: Option<IpAddr>,
    /// What the client calls itself.
    pub(crate) user_agent: Option<String>,
}

/// A login that stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    /// The id.
    pub(crate) id: SessionId,
    /// When the password was given.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// When the last access token was given.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) refreshed_at: OffsetDateTime,
    /// When it ends by itself.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) expires_at: OffsetDateTime,
    /// The address that the login came from.
    #[schema(value_type = Option<String>, example = "192.0.2.1")]
    pub(crate) address: Option<IpAddr>,
    /// What the client called itself.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    pub(crate) user_agent: Option<String>,
    /// Whether it is the one of this request.
    pub(crate) is_present: bool,
}
