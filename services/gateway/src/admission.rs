//! Who asks, and whether they may.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};

use crate::Error;
use crate::bad_tokens::BadTokens;
use crate::headers::for_one_connection;
use crate::routes::Access;
use crate::verified_tokens::{VerifiedToken, VerifiedTokens};

/// Bytes that a token may have. Ours have some 500; what is longer is not worth a look.
const LONGEST_TOKEN: usize = 4096;

/// Decides who is let in.
pub(crate) struct Admission {
    tokens: VerifiedTokens,
    bad_tokens: BadTokens,
}

impl Admission {
    pub(crate) fn new(tokens: VerifiedTokens) -> Self {
        Self { tokens, bad_tokens: BadTokens::new() }
    }

    /// Lets in whoever may; `None` where nobody needs to be known. What must hold, cheapest first: there is a token, it is
    /// ours and good now, its session stands, its roles are the present ones and reach the route's.
    pub(crate) async fn admit(
        &self,
        headers: &HeaderMap,
        client: Option<IpAddr>,
        access: Access,
    ) -> Result<Option<Arc<VerifiedToken>>, Error> {
        let Access::Needs(role) = access else { return Ok(None) };
        let token = self.verify(bearer(headers)?, client).await?;
        let session = self.tokens.session_of(&token).await.map_err(|_| Error::SessionsUnavailable)?;
        let session = session.filter(|session| session.user_id == token.claims.sub).ok_or(Error::SessionEnded)?;
        if token.claims.ver < session.roles_version {
            return Err(Error::TokenOutdated);
        }
        if !token.claims.roles.include(role) {
            return Err(Error::RoleRequired(role));
        }
        Ok(Some(token))
    }

    /// A token that was verified before costs a look; any other costs a signature, of which one address may ask for so many
    /// in vain.
    async fn verify(&self, token: &str, client: Option<IpAddr>) -> Result<Arc<VerifiedToken>, Error> {
        if let Some(known) = self.tokens.get(token)? {
            return Ok(known);
        }
        if client.is_some_and(|client| self.bad_tokens.are_too_many(client)) {
            return Err(Error::TooManyBadTokens);
        }
        let verified = self.tokens.verify(token).await;
        if let (Err(Error::TokenForged), Some(client)) = (&verified, client) {
            self.bad_tokens.count(client);
        }
        verified
    }
}

/// The token of the one `Authorization` header (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Error::LoginRequired)?;
    if for_one_connection(headers).any(|name| name == header::AUTHORIZATION) {
        return Err(Error::LoginRequired);
    }
    if values.next().is_some() || value.len() > LONGEST_TOKEN {
        return Err(Error::TokenInvalid);
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Error::TokenInvalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::LoginRequired);
    }
    Ok(token.trim_start_matches(' '))
}
