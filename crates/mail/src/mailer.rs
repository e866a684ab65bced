//! Gives mail to the server.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ecommerce_types::Clock;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as Encryption, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::{Mail, Settings, Tls};

/// How long a mail may take from the connection to the server's word that it has it.
const WHOLE: Duration = Duration::from_secs(10);
/// How long the server may take for one answer.
const STEP: Duration = Duration::from_secs(5);

/// Why no mail is sent, or this one was not. Says nothing of to whom it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `MAIL_FROM` is missing.
    #[error("SMTP_HOST needs MAIL_FROM")]
    NoSender,
    /// The authority's certificate is not readable.
    #[error("failed to read SMTP_CA_FILE {0}")]
    Authority(PathBuf, #[source] io::Error),
    /// It is none, or the server's name is none.
    #[error("failed to set TLS up for the mail server")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// No mail can be sent to or from an address of this form.
    #[error("the address is none that mail is sent to")]
    Address,
    /// The server does not take it, today or tomorrow: the login, the sender, the recipient, or its certificate.
    #[error("the mail server refuses")]
    Refused(#[source] Reason),
    /// The server is away or busy.
    #[error("unable to give the mail to the server")]
    Unavailable(#[source] Reason),
    /// The server took too long.
    #[error("the mail server did not answer in time")]
    Late,
}

/// What the server said or did, without what was said to it.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// It has answered with this code (RFC 5321, section 4.2).
    #[error("it answered {0}")]
    Answered(u16),
    /// TLS was not agreed on.
    #[error("TLS was not agreed on")]
    Tls,
    /// The connection was not made or ended.
    #[error("the connection was not made or ended")]
    Connection,
    /// It cannot do what it is to do, such as STARTTLS or a login.
    #[error("it does not offer what it is asked for")]
    Unable,
}

impl Error {
    /// Whether the same mail may be taken later without a change of ours.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Late)
    }
}

impl From<lettre::transport::smtp::Error> for Error {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        match error.status().map(u16::from) {
            // 421 the server goes, 4yz try again, 5yz never.
            Some(code) if error.is_permanent() => Self::Refused(Reason::Answered(code)),
            Some(code) => Self::Unavailable(Reason::Answered(code)),
            None if error.is_tls() => Self::Refused(Reason::Tls),
            None if error.is_timeout() => Self::Late,
            None if error.is_client() => Self::Refused(Reason::Unable),
            None => Self::Unavailable(Reason::Connection),
        }
    }
}

/// Sends mail, each over a connection of its own: links are rare, and an idle connection is memory. Clones are the same.
#[derive(Debug, Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    clock: Clock,
}

impl Mailer {
    /// The one that the settings say, if they name a server. It is asked for nothing yet.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Option<Self>, Error> {
        let Some(host) = &settings.smtp_host else { return Ok(None) };
        let from = settings.mail_from.as_ref().ok_or(Error::NoSender)?;
        let from = Mailbox::new(None, from.as_str().parse().map_err(|_| Error::Address)?);
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.smtp_port.unwrap_or_else(|| settings.smtp_tls.port()))
            .tls(encryption(settings, host)?)
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(STEP));
        if let (Some(username), Some(password)) = (&settings.smtp_username, &settings.smtp_password) {
            let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
            transport = transport.credentials(credentials);
        }
        Ok(Some(Self { transport: transport.build(), from, clock }))
    }

    /// Gives a mail to the server.
    ///
    /// # Errors
    /// When the server does not take it; whether it may later, the error knows.
    pub async fn send(&self, mail: &Mail) -> Result<(), Error> {
        let message = mail.message(&self.from, &self.clock)?;
        timeout(WHOLE, self.transport.send(message)).await.map_err(|_| Error::Late)??;
        Ok(())
    }
}

fn encryption(settings: &Settings, host: &str) -> Result<Encryption, Error> {
    if settings.smtp_tls == Tls::None {
        return Ok(Encryption::None);
    }
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.smtp_ca_file {
        let pem = std::fs::read(path).map_err(|source| Error::Authority(path.clone(), source))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(Error::Tls)?);
    }
    let parameters = parameters.build().map_err(Error::Tls)?;
    Ok(if settings.smtp_tls == Tls::Implicit {
        Encryption::Wrapper(parameters)
    } else {
        Encryption::Required(parameters)
    })
}
