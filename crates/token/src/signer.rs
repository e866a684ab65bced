//! Signs tokens; auth alone has the private key.

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use crate::verifier::ACCESS_TOKEN;
use crate::{Claims, Jwk, Jwks};

/// A private key, and the name under which its public half is known.
#[derive(Clone)]
pub struct Signer {
    key: EncodingKey,
    public: Jwk,
}

/// A text is no private key to sign with. It says nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing key is not an Ed25519 private key in PKCS#8 PEM")]
pub struct KeyError;

/// A token was not signed.
#[derive(Debug, thiserror::Error)]
#[error("failed to sign a token")]
pub struct SignError(#[from] jsonwebtoken::errors::Error);

impl Signer {
    /// The key in a PKCS#8 PEM text (RFC 8410), with or without its public half.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError)?;
        let der = key.to_pkcs8_der().map_err(|_| KeyError)?;
        Ok(Self { key: EncodingKey::from_ed_der(der.as_bytes()), public: Jwk::of(&key.verifying_key()) })
    }

    /// The token of these claims.
    pub fn sign(&self, claims: &Claims) -> Result<String, SignError> {
        let header = Header {
            typ: Some(ACCESS_TOKEN.to_owned()),
            kid: Some(self.public.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok(jsonwebtoken::encode(&header, claims, &self.key)?)
    }

    /// The name of the key, as tokens say it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.public.kid
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> Jwk {
        self.public.clone()
    }

    /// The document that a verifier reads, where this is the only key.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: vec![self.public.clone()] }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signer").field("kid", &self.public.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::pkcs8::KeypairBytes;
    use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;

    use super::*;

    #[test]
    fn a_key_is_read_with_and_without_its_public_half() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let with = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let without = KeypairBytes { secret_key: [7; 32], public_key: None }.to_pkcs8_pem(LineEnding::LF).unwrap();
        assert_ne!(with, without);
        for pem in [with, without] {
            assert_eq!(Signer::from_pkcs8_pem(&pem).unwrap().jwks().keys, [Jwk::of(&key.verifying_key())]);
        }
    }

    #[test]
    fn what_is_no_ed25519_key_is_refused_without_being_shown() {
        for wrong in ["", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            let error = Signer::from_pkcs8_pem(wrong).unwrap_err();
            assert_eq!(error.to_string(), "the signing key is not an Ed25519 private key in PKCS#8 PEM");
        }
    }
}
