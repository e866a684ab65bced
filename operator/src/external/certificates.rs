//! The authorities that a server of others is believed by.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// What is wrong with a text that should have certificates in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no certificate in PEM")]
pub struct NoCertificate;

/// The authorities in a text of PEM.
///
/// # Errors
/// When there is none in it, or one that nothing could be checked with.
pub fn authorities(pem: &str) -> Result<RootCertStore, NoCertificate> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        store.add(certificate.map_err(|_| NoCertificate)?).map_err(|_| NoCertificate)?;
    }
    if store.is_empty() { Err(NoCertificate) } else { Ok(store) }
}

/// Those that everybody believes, for a server whose authority the Secret does not name.
#[must_use]
pub fn public_authorities() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}
