//! Who asks, and whether they may.

use axum::http::{HeaderMap, header};
use ecommerce_token::Claims;

use crate::Error;
use crate::keys::Keys;
use crate::routes::Access;
use crate::sessions::RememberedSessions;

/// What it takes to know a caller.
#[derive(Clone)]
pub struct Callers {
    /// Verify tokens.
    pub keys: Keys,
    /// Say whether a token's session still stands.
    pub sessions: RememberedSessions,
}

impl Callers {
    /// Lets in whoever may; `None` where nobody needs to be known. What must hold, cheapest first: there is a token, it is
    /// ours and good now, its session stands, its roles are the present ones and reach the route's.
    pub async fn admit(&self, headers: &HeaderMap, access: Access) -> Result<Option<Claims>, Error> {
        let Access::Needs(role) = access else { return Ok(None) };
        let claims = self.keys.verify(bearer(headers)?).await?;
        let session = self.sessions.get(claims.sid).await.map_err(|_| Error::SessionsUnavailable)?;
        let session = session.filter(|session| session.user_id == claims.sub).ok_or(Error::SessionEnded)?;
        if claims.ver < session.roles_version {
            return Err(Error::TokenOutdated);
        }
        if !claims.roles.include(role) {
            return Err(Error::RoleRequired(role));
        }
        Ok(Some(claims))
    }
}

/// The token of the one `Authorization` header (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Error::LoginRequired)?;
    if values.next().is_some() {
        return Err(Error::TokenInvalid);
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Error::TokenInvalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::LoginRequired);
    }
    Ok(token.trim_start_matches(' '))
}
