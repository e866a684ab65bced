//! Access tokens: what auth signs and the gateway verifies.
//!
//! Here live the claims, the signer, the verifier and the document that carries the public keys from the one to the other.
//! Whether a token's session still stands is not known here: that is in Redis. To add a claim: a field of [`Claims`], which
//! auth fills and the gateway reads; older tokens live for [`LIFETIME`] more, so give it a default at first.

mod claims;
mod jwks;
mod signer;
mod verifier;

pub use claims::{Claims, LEEWAY, LIFETIME, Settings};
pub use jwks::{Jwk, Jwks};
pub use signer::{KeyError, SignError, Signer};
pub use verifier::{Rejected, Verifier};
