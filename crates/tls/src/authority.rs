//! An authority of one's own: its certificates, as a file holds them.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _, SectionKind};

/// Why a file names no authority.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there, or not for us.
    #[error("failed to read {0}")]
    Unreadable(PathBuf, #[source] io::Error),
    /// What is in it is none.
    #[error("{0} {1}")]
    Invalid(PathBuf, Invalid),
}

/// Why a text names no authority, as it is said after the name of what holds it. What is in it is not shown: it may be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is no text in PEM (RFC 7468), such as a certificate in DER.
    #[error("is not PEM: it has no line such as -----BEGIN CERTIFICATE-----")]
    NotPem,
    /// It begins as PEM and does not go on so.
    #[error("is broken PEM: {0}")]
    Broken(Fault),
    /// It has something else in it, such as a key.
    #[error("has no certificate in it")]
    NoCertificate,
    /// What is called a certificate there is none (RFC 5280).
    #[error("has a certificate that does not read, number {number}: {why}")]
    Malformed {
        /// Which of them, the first being 1.
        number: usize,
        /// Why it does not.
        why: String,
    },
}

/// What is wrong with PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A part begins and never ends.
    NoEnd,
    /// A line begins a part and does not say of what.
    NoLabel,
    /// What is between is not base64.
    NoBase64,
    /// It is longer than anything that is one.
    TooLong,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoEnd => "a part of it has no end",
            Self::NoLabel => "a line that begins a part does not say of what",
            Self::NoBase64 => "a part of it is not base64",
            Self::TooLong => "a part of it is too long",
        })
    }
}

/// An authority whose signature makes a server's certificate good.
#[derive(Clone)]
pub struct Authority {
    pem: Vec<u8>,
    roots: RootCertStore,
}

impl Authority {
    /// The one whose certificate, or certificates, this file holds in PEM.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let pem = fs::read(file).map_err(|error| Error::Unreadable(file.to_owned(), error))?;
        Self::from_pem(pem).map_err(|invalid| Error::Invalid(file.to_owned(), invalid))
    }

    /// The one whose certificate, or certificates, this text in PEM holds.
    pub fn from_pem(pem: impl Into<Vec<u8>>) -> Result<Self, Invalid> {
        let pem = pem.into();
        let roots = roots(&pem)?;
        Ok(Self { pem, roots })
    }

    /// The same as it stands in the file, for a library that reads it itself.
    #[must_use]
    pub fn pem(&self) -> &[u8] {
        &self.pem
    }

    pub(crate) fn roots(&self) -> &RootCertStore {
        &self.roots
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").field("certificates", &self.roots.len()).finish_non_exhaustive()
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Invalid> {
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let sections = sections.map_err(|error| fault(&error).map_or(Invalid::NotPem, Invalid::Broken))?;
    if sections.is_empty() {
        return Err(Invalid::NotPem);
    }
    let mut roots = RootCertStore::empty();
    for (kind, der) in sections {
        if kind == SectionKind::Certificate {
            let number = roots.len() + 1;
            let malformed = |error: rustls::Error| Invalid::Malformed { number, why: error.to_string() };
            roots.add(CertificateDer::from(der)).map_err(malformed)?;
        }
    }
    if roots.is_empty() { Err(Invalid::NoCertificate) } else { Ok(roots) }
}

/// Without what the library shows of the file.
fn fault(error: &pem::Error) -> Option<Fault> {
    match error {
        pem::Error::MissingSectionEnd { .. } => Some(Fault::NoEnd),
        pem::Error::IllegalSectionStart { .. } => Some(Fault::NoLabel),
        pem::Error::Base64Decode(_) => Some(Fault::NoBase64),
        pem::Error::SectionTooLarge => Some(Fault::TooLong),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;

    fn certificate() -> String {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    pub(crate) fn ours() -> Authority {
        let pem = certificate().into_bytes();
        Authority::from_pem(pem).unwrap()
    }

    fn reads(text: &str) -> Result<usize, String> {
        let authority = Authority::from_pem(text);
        authority.map(|authority| authority.roots().len()).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn every_certificate_of_the_file_is_believed_whatever_stands_between_them() {
        let file = format!("# the old one\n{}\n# the new one\n{}", certificate(), certificate());
        assert_eq!(reads(&file), Ok(2));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Authority::read(Path::new("/nowhere/ca.crt")).unwrap_err();
        assert_eq!(error.to_string(), "failed to read /nowhere/ca.crt");
    }

    #[test]
    fn what_is_not_pem_and_what_is_broken_are_told_apart() {
        let no_pem = "is not PEM: it has no line such as -----BEGIN CERTIFICATE-----";
        assert_eq!(reads(""), Err(no_pem.to_owned()));
        assert_eq!(reads("0\u{82}\u{1}\u{a}"), Err(no_pem.to_owned()));
        let whole = certificate();
        let half = &whole[..whole.len() / 2];
        assert_eq!(reads(half), Err("is broken PEM: a part of it has no end".to_owned()));
        let spoilt = whole.replacen("\nMII", "\n!!!", 1);
        assert_eq!(reads(&spoilt), Err("is broken PEM: a part of it is not base64".to_owned()));
    }

    #[test]
    fn a_key_is_no_authority_and_is_not_shown() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        assert_eq!(reads(&key), Err("has no certificate in it".to_owned()));
    }

    #[test]
    fn a_certificate_that_does_not_read_is_counted_out() {
        let spoilt = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let error = reads(&format!("{}{spoilt}", certificate()));
        assert!(error.unwrap_err().starts_with("has a certificate that does not read, number 2: "));
    }
}
