//! What a link carries with which a password is set: 256 random bits, of which only the hash is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use time::Duration;

/// How long a link is good for (OWASP's Forgot Password Cheat Sheet: an appropriate period).
pub(crate) const LIFETIME: Duration = Duration::minutes(30);

/// The token of a link. It does not print.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, example = "x0Pjc2nT9hJpOq4m2Lw3eVn0mF2V8lq6G0y5rQeZkzA")]
pub(crate) struct ResetToken(SecretString);

impl ResetToken {
    /// A new one.
    pub(crate) fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).into())
    }

    /// The text, for whoever the link is for.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is kept of it. Nobody guesses 256 bits, so the hash needs to be neither slow nor salted.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose_secret()).into()
    }
}

impl From<String> for ResetToken {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}
