//! Which server, and how it is reached.

use std::path::PathBuf;

use clap::ValueEnum;
use ecommerce_types::Email;
use secrecy::SecretString;

/// How mail is sent; not at all without a server.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// The SMTP server that mail is given to, with `MAIL_FROM` and `PASSWORD_RESET_URL`; none is sent when absent.
    #[arg(long, env = "SMTP_HOST", requires = "mail_from")]
    pub smtp_host: Option<String>,
    /// Its port; 587 with `starttls`, 465 with `implicit`, 25 with `none`, when absent.
    #[arg(long, env = "SMTP_PORT")]
    pub smtp_port: Option<u16>,
    /// Who logs in there, with `SMTP_PASSWORD`; nobody when absent.
    #[arg(long, env = "SMTP_USERNAME", requires = "smtp_password")]
    pub smtp_username: Option<String>,
    /// The password of the login.
    #[arg(long, env = "SMTP_PASSWORD", hide_env_values = true, requires = "smtp_username")]
    pub smtp_password: Option<SecretString>,
    /// How the connection is encrypted: `starttls`, `implicit` (from its first byte), or `none`.
    #[arg(long, env = "SMTP_TLS", default_value = "starttls")]
    pub smtp_tls: Tls,
    /// A file with the certificate of an authority of one's own, in PEM, beside those that browsers know.
    #[arg(long, env = "SMTP_CA_FILE")]
    pub smtp_ca_file: Option<PathBuf>,
    /// The address that mail comes from.
    #[arg(long, env = "MAIL_FROM")]
    pub mail_from: Option<Email>,
}

/// How the connection to the server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Tls {
    /// By the command STARTTLS (RFC 3207); a server that does not know it gets nothing.
    #[default]
    Starttls,
    /// From its first byte (RFC 8314).
    Implicit,
    /// Not at all, not even a password: for a server on the same machine or in a network that one trusts.
    None,
}

impl Tls {
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}
