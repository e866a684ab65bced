//! Which server, and how it is met: in clear, or by TLS with its name and its chain verified. There is nothing in between.

use std::path::Path;
use std::str::FromStr as _;

use ecommerce_tls::Authority;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// The settings of a process that say which server it is, whatever they are there for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address<'s> {
    pub(crate) url: &'s SecretString,
    pub(crate) password: Option<&'s SecretString>,
    pub(crate) ca_file: Option<&'s Path>,
}

/// The settings of a database say what cannot be. Its address is a secret and not shown.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// `DATABASE_URL` is no address.
    #[error("DATABASE_URL is not of the form postgres://login@host:5432/database")]
    Url,
    /// It asks for TLS that believes any server, or for none where a server has none (libpq, "SSL Mode Descriptions").
    #[error(
        "DATABASE_URL has an sslmode under which anybody could answer in the server's place: it is verify-full or, for no TLS, disable"
    )]
    WeakTls,
    /// It names an authority by itself.
    #[error("DATABASE_URL names a file of certificates: DATABASE_CA_FILE does that")]
    AuthorityInUrl,
    /// An authority is named, and nobody is to be asked for a certificate.
    #[error("DATABASE_CA_FILE is set, but DATABASE_URL speaks no TLS: it needs ?sslmode=verify-full")]
    AuthorityWithoutTls,
    /// The authority's file is none.
    #[error("DATABASE_CA_FILE names no authority")]
    Authority(#[from] ecommerce_tls::Error),
}

impl Address<'_> {
    /// Whom a connection is opened to.
    pub(crate) fn options(self) -> Result<PgConnectOptions, InvalidSettings> {
        let text = self.url.expose_secret();
        let is_encrypted = Url::parse(text).map_err(|_| InvalidSettings::Url).and_then(|url| is_encrypted(&url))?;
        let mut options = PgConnectOptions::from_str(text).map_err(|_| InvalidSettings::Url)?;
        if let Some(password) = self.password {
            options = options.password(password.expose_secret());
        }
        // Said in any case: what is absent would be `prefer`, or as `PGSSLMODE` says.
        match (is_encrypted, self.ca_file) {
            (false, None) => Ok(options.ssl_mode(PgSslMode::Disable)),
            (false, Some(_)) => Err(InvalidSettings::AuthorityWithoutTls),
            (true, None) => Ok(options.ssl_mode(PgSslMode::VerifyFull)),
            (true, Some(file)) => {
                let authority = Authority::read(file)?;
                Ok(options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert_from_pem(authority.pem().to_vec()))
            }
        }
    }
}

/// By the parameters of libpq, in the spellings that sqlx takes.
fn is_encrypted(url: &Url) -> Result<bool, InvalidSettings> {
    let mut is_encrypted = false;
    for (key, value) in url.query_pairs() {
        match &*key {
            "sslmode" | "ssl-mode" => match &*value {
                "verify-full" => is_encrypted = true,
                "disable" => is_encrypted = false,
                _ => return Err(InvalidSettings::WeakTls),
            },
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => return Err(InvalidSettings::AuthorityInUrl),
            _ => {}
        }
    }
    Ok(is_encrypted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(query: &str, ca_file: Option<&str>) -> Result<PgConnectOptions, String> {
        let url = format!("postgres://login@db.example:5432/shop{query}").into();
        let address = Address { url: &url, password: None, ca_file: ca_file.map(Path::new) };
        address.options().map_err(|error| error.to_string())
    }

    #[test]
    fn tls_is_spoken_when_the_address_says_so_and_then_name_and_chain_are_verified() {
        for (query, expected) in [
            ("", PgSslMode::Disable),
            ("?sslmode=disable", PgSslMode::Disable),
            ("?sslmode=verify-full", PgSslMode::VerifyFull),
            ("?sslmode=disable&ssl-mode=verify-full", PgSslMode::VerifyFull),
        ] {
            let mode = options(query, None).unwrap().get_ssl_mode();
            assert_eq!(std::mem::discriminant(&mode), std::mem::discriminant(&expected), "{query}: {mode:?}");
        }
    }

    #[test]
    fn tls_that_verifies_less_is_refused() {
        for mode in ["allow", "prefer", "require", "verify-ca", "VERIFY-FULL", "", "no-verify"] {
            for key in ["sslmode", "ssl-mode"] {
                let refused = options(&format!("?{key}={mode}"), None).unwrap_err();
                assert!(refused.contains("DATABASE_URL") && refused.contains("verify-full"), "{mode}: {refused}");
            }
        }
        let weak_beside_strong = options("?sslmode=verify-full&sslmode=require", None);
        assert!(weak_beside_strong.is_err());
    }

    #[test]
    fn an_authority_without_tls_is_refused_before_its_file_is_read() {
        for query in ["", "?sslmode=disable"] {
            let refused = options(query, Some("/nowhere/ca.crt")).unwrap_err();
            assert_eq!(
                refused,
                "DATABASE_CA_FILE is set, but DATABASE_URL speaks no TLS: it needs ?sslmode=verify-full"
            );
        }
    }

    #[test]
    fn an_authority_is_named_in_one_place() {
        for key in ["sslrootcert", "ssl-root-cert", "ssl-ca"] {
            let refused = options(&format!("?sslmode=verify-full&{key}=/ca.crt"), None).unwrap_err();
            assert_eq!(refused, "DATABASE_URL names a file of certificates: DATABASE_CA_FILE does that");
        }
    }

    #[test]
    fn an_authority_whose_file_is_none_is_refused() {
        assert_eq!(
            options("?sslmode=verify-full", Some("/nowhere/ca.crt")).unwrap_err(),
            "DATABASE_CA_FILE names no authority"
        );
    }
}
