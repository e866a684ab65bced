//! TLS to the stores: which authorities a client believes, and that it asks for no less than name and chain.
//!
//! Whether TLS is spoken at all says a store's URL, in the crate of that store. There is no way from here to a client that believes
//! a server without a certificate that is good, and none is to be added: who needs one has a certificate to make.

mod authority;

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

pub use authority::{Authority, Error, Invalid};

/// A client that believes this authority alone, or, where none is named, those that browsers know. It speaks TLS 1.2 and 1.3,
/// and shows no certificate of its own.
///
/// # Panics
/// Never: the provider of its cryptography knows both versions.
#[must_use]
pub fn client(authority: Option<&Authority>) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    #[expect(clippy::expect_used, reason = "what may be missing is a cipher for a version, and ring has some for both")]
    let builder = builder.with_safe_default_protocol_versions().expect("ciphers for TLS 1.2 and 1.3");
    builder.with_root_certificates(believed(authority)).with_no_client_auth()
}

fn believed(authority: Option<&Authority>) -> RootCertStore {
    match authority {
        Some(authority) => authority.roots().clone(),
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_named_is_the_only_one() {
        assert_eq!(believed(Some(&authority::tests::ours())).len(), 1);
        assert!(believed(None).len() > 100, "those that browsers know");
    }
}
