//! An authority of a test's own, and the certificates that it gives to servers, good and bad.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

use crate::unique_name;

/// Whoever believes it believes its servers. Its file goes when this is dropped.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: PathBuf,
}

/// What a server shows, and the key to it, both in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Of the server alone: who believes its authority needs no more.
    pub certificate: String,
    /// PKCS#8.
    pub key: String,
}

impl Authority {
    /// One that nobody knows yet.
    ///
    /// # Panics
    /// When the system refuses a file.
    #[must_use]
    pub fn create() -> Self {
        let directory = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&directory).expect("make a directory");
        let mut own = CertificateParams::new(Vec::new()).expect("an authority");
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        own.distinguished_name.push(DnType::CommonName, unique_name());
        let issuer = CertifiedIssuer::self_signed(own, KeyPair::generate().expect("a key")).expect("an authority");
        let authority = Self { issuer, directory };
        std::fs::write(authority.file(), authority.issuer.pem()).expect("write a certificate");
        authority
    }

    /// The file with its certificate.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.directory.join("ca.crt")
    }

    /// The same as a text.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// For the server of this name, or this address.
    ///
    /// # Panics
    /// When that is neither.
    #[must_use]
    pub fn certificate(&self, name: &str) -> Certificate {
        self.sign(&CertificateParams::new([name.to_owned()]).expect("a name"))
    }

    /// The same, which was good for some years and is no longer.
    ///
    /// # Panics
    /// When that is neither.
    #[must_use]
    pub fn expired_certificate(&self, name: &str) -> Certificate {
        let mut certificate = CertificateParams::new([name.to_owned()]).expect("a name");
        certificate.not_before = date_time_ymd(2015, 1, 1);
        certificate.not_after = date_time_ymd(2020, 1, 1);
        self.sign(&certificate)
    }

    fn sign(&self, certificate: &CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let certificate = certificate.signed_by(&key, &self.issuer).expect("a certificate");
        Certificate { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Certificate {
    /// Writes it where a server reads it: `server.crt` and `server.key`.
    ///
    /// # Panics
    /// When the system refuses.
    pub(crate) fn write_to(&self, directory: &Path) -> [PathBuf; 2] {
        let files = ["server.crt", "server.key"].map(|name| directory.join(name));
        for (file, text) in files.iter().zip([&self.certificate, &self.key]) {
            std::fs::write(file, text).expect("write a certificate");
        }
        files
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
