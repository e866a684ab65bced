//! Verifies tokens; whoever has the public keys can.

use std::collections::HashMap;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use time::OffsetDateTime;

use crate::{Claims, Jwks, LIFETIME, Settings};

/// The type of an access token (RFC 9068, section 2.1): no other kind of token is taken for one (RFC 8725, section 3.11).
pub(crate) const ACCESS_TOKEN: &str = "at+jwt";

/// The public keys and what a token must say to be taken.
#[derive(Clone)]
pub struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It is no token of ours: not in its shape, its algorithm, or its claims.
    #[error("the access token is malformed")]
    Malformed,
    /// It names a key that is not among these; newer keys may have it.
    #[error("the access token names an unknown key")]
    UnknownKey,
    /// The key did not sign it.
    #[error("the access token's signature is wrong")]
    Forged,
    /// It was made by or for another stack.
    #[error("the access token is for another shop")]
    Foreign,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the access token is not valid yet")]
    NotYetValid,
}

impl Verifier {
    /// A verifier that knows the keys of a document and takes the tokens of one stack.
    #[must_use]
    pub fn new(jwks: &Jwks, settings: &Settings) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&settings.token_issuer]);
        validation.set_audience(&[&settings.token_audience]);
        // A claim that is not required by name is not looked at when it is absent.
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // The library would read the machine's clock; `verify` compares both with the time it is given.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let keys = jwks.keys.iter().filter_map(|jwk| {
            let key = jwk.key()?;
            Some((jwk.kid.clone(), DecodingKey::from_ed_der(key.as_bytes())))
        });
        Self { keys: keys.collect(), validation }
    }

    /// The claims of a token that is good at `now`.
    pub fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Claims, Rejected> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Rejected::Malformed)?;
        // RFC 7515, section 4.1.11: what a token calls critical must be understood, and nothing of it is.
        if header.alg != Algorithm::EdDSA || header.crit.is_some() || !is_access_token(header.typ.as_deref()) {
            return Err(Rejected::Malformed);
        }
        let kid = header.kid.ok_or(Rejected::Malformed)?;
        let key = self.keys.get(&kid).ok_or(Rejected::UnknownKey)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => Rejected::Forged,
                ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => Rejected::Foreign,
                _ => Rejected::Malformed,
            })?
            .claims;
        // Nobody signs a longer one here.
        if claims.exp.saturating_sub(claims.iat) > LIFETIME.whole_seconds() {
            return Err(Rejected::Malformed);
        }
        if claims.is_over_at(now) {
            return Err(Rejected::Expired);
        }
        if !claims.has_come_at(now) {
            return Err(Rejected::NotYetValid);
        }
        Ok(claims)
    }
}

/// A media type's case counts for nothing, nor does its `application/` (RFC 7515, section 4.1.9).
fn is_access_token(kind: Option<&str>) -> bool {
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    kind.strip_prefix("application/").unwrap_or(&kind) == ACCESS_TOKEN
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Verifier").field("kids", &self.keys.keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
