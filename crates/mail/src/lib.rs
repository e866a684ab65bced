//! Mail. (A stub until the real one is here: same API.)
use ecommerce_types::Email;
/// Settings.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Host.
    #[arg(long, env = "SMTP_HOST")]
    pub smtp_host: Option<String>,
}
/// Error.
#[derive(Debug, thiserror::Error)]
#[error("mail")]
pub struct Error;
impl Error {
    /// Transient.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        true
    }
}
/// Mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// to
    pub to: Email,
    /// subject
    pub subject: String,
    /// text
    pub text: String,
}
/// Mailer.
#[derive(Debug, Clone)]
pub struct Mailer;
impl Mailer {
    /// From.
    pub fn from(_settings: &Settings) -> Result<Option<Self>, Error> {
        Ok(None)
    }
    /// Send.
    pub async fn send(&self, _mail: &Mail) -> Result<(), Error> {
        Ok(())
    }
}
