//! The public keys as a document: JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The keys with which tokens may be signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jwks {
    /// The keys; one whose kind a reader does not know is passed over (RFC 7517, section 5).
    pub keys: Vec<Jwk>,
}

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jwk {
    /// The kind of key: `OKP`, an octet key pair.
    #[schema(example = "OKP")]
    pub kty: String,
    /// The curve: `Ed25519`.
    #[serde(default)]
    #[schema(example = "Ed25519")]
    pub crv: String,
    /// The public key in base64url.
    #[serde(default)]
    pub x: String,
    /// The key's name in a token's header: its thumbprint (RFC 7638).
    #[serde(default)]
    pub kid: String,
    /// What it signs with: `EdDSA`.
    #[serde(default)]
    #[schema(example = "EdDSA")]
    pub alg: String,
    /// What it is for: `sig`, signatures.
    #[serde(default, rename = "use")]
    #[schema(example = "sig")]
    pub usage: String,
}

impl Jwk {
    /// The document's entry for this key.
    pub(crate) fn of(key: &VerifyingKey) -> Self {
        let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
        Self {
            kid: thumbprint(&x),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x,
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
        }
    }

    /// The key, when it is one that a token can be verified with.
    pub(crate) fn key(&self) -> Option<VerifyingKey> {
        let is_ours = self.kty == "OKP" && self.crv == "Ed25519" && self.alg == "EdDSA" && self.usage == "sig";
        if !is_ours {
            return None;
        }
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(&self.x).ok()?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak())
    }
}

/// RFC 7638, section 3: SHA-256 of the required members alone, in the order of their names, without spaces.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_the_one_of_rfc_8037_appendix_a_3() {
        assert_eq!(
            thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn a_key_that_is_no_point_of_the_curve_is_none() {
        let jwk = |x: &str| Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: x.to_owned(),
            kid: "kid".to_owned(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
        };
        assert!(jwk("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").key().is_some());
        for wrong in ["", "11qY", "!", &URL_SAFE_NO_PAD.encode([0; 32]), &URL_SAFE_NO_PAD.encode([2; 32])] {
            assert!(jwk(wrong).key().is_none(), "{wrong}");
        }
    }
}
