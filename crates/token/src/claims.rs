//! What a token says.

use ecommerce_types::{Clock, Roles, SessionId, UserId};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long a token is good for. Roles and sessions are looked up beside it, so this bounds only how long the gateway may
/// go without auth.
pub const LIFETIME: Duration = Duration::minutes(10);

/// How far the clocks of two machines may be apart.
pub const LEEWAY: Duration = Duration::seconds(5);

/// Whose tokens these are and who takes them; the same for auth and the gateway of a stack.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// The claim `iss` of access tokens, such as `https://shop.default`.
    #[arg(long, env = "TOKEN_ISSUER")]
    pub token_issuer: String,
    /// The claim `aud` of access tokens, such as `shop.default`.
    #[arg(long, env = "TOKEN_AUDIENCE")]
    pub token_audience: String,
}

/// The claims of an access token (RFC 7519, section 4), and three of our own. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// Who may take it.
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The session: the token is worth nothing once this has ended.
    pub sid: SessionId,
    /// The version of the user's roles at signing: the token is worth nothing once they are newer.
    pub ver: i32,
    /// The user's roles at signing.
    pub roles: Roles,
    /// When it was signed.
    pub iat: i64,
    /// Not good before.
    pub nbf: i64,
    /// Not good from here on.
    pub exp: i64,
    /// The token's own id.
    pub jti: Uuid,
}

impl Claims {
    /// The claims of a token that is good from now on, for [`LIFETIME`].
    #[must_use]
    pub fn new(settings: &Settings, sub: UserId, sid: SessionId, ver: i32, roles: Roles, clock: &Clock) -> Self {
        let now = clock.now().unix_timestamp();
        Self {
            iss: settings.token_issuer.clone(),
            aud: settings.token_audience.clone(),
            sub,
            sid,
            ver,
            roles,
            iat: now,
            nbf: now,
            exp: now + LIFETIME.whole_seconds(),
            jti: clock.new_id(),
        }
    }

    /// Whether the time of these claims has come and is not over, give or take [`LEEWAY`].
    #[must_use]
    pub fn is_good_at(&self, now: OffsetDateTime) -> bool {
        !self.is_over_at(now) && self.has_come_at(now)
    }

    pub(crate) fn is_over_at(&self, now: OffsetDateTime) -> bool {
        self.exp <= now.unix_timestamp().saturating_sub(LEEWAY.whole_seconds())
    }

    pub(crate) fn has_come_at(&self, now: OffsetDateTime) -> bool {
        self.nbf <= now.unix_timestamp().saturating_add(LEEWAY.whole_seconds())
    }
}
