//! Gives mail to the server.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use ecommerce_tls::Authority;
use ecommerce_types::Clock;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as Sender, Quit, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::{Mail, Settings, Tls};

/// How long a mail may take from the connection to the server's word that it has it; with the farewell, ten seconds.
const WHOLE: Duration = Duration::from_secs(9);
/// How long a server may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long one of a host's addresses may take to answer, so that there is time for the next.
const CONNECT: Duration = Duration::from_secs(4);

/// Why no mail is sent, or this one was not. Says nothing of to whom it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `MAIL_FROM` is missing.
    #[error("SMTP_HOST needs MAIL_FROM")]
    NoSender,
    /// The authority's file is none.
    #[error("SMTP_CA_FILE names no authority")]
    Authority(#[from] ecommerce_tls::Error),
    /// It is none, or the server's name is none.
    #[error("failed to set TLS up for the mail server")]
    Tls(#[source] smtp::Error),
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

impl From<smtp::Error> for Error {
    fn from(error: smtp::Error) -> Self {
        match error.status().map(u16::from) {
            // 421 the server goes, 4yz try again, 5yz never.
            Some(code) if error.is_permanent() => Self::Refused(Reason::Answered(code)),
            Some(code) => Self::Unavailable(Reason::Answered(code)),
            None if is_of_tls(&error) => Self::Refused(Reason::Tls),
            None if error.is_timeout() => Self::Late,
            None if error.is_client() => Self::Refused(Reason::Unable),
            None => Self::Unavailable(Reason::Connection),
        }
    }
}

/// lettre calls what goes wrong in a handshake an error of the connection; rustls gives it out as data that are wrong.
fn is_of_tls(error: &smtp::Error) -> bool {
    std::iter::successors(error.source(), |&cause| cause.source())
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::InvalidData)
}

/// Sends mail, each over a connection of its own: links are rare, and an idle connection is memory. Clones are the same.
#[derive(Clone)]
pub struct Mailer {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    from: Mailbox,
    clock: Clock,
}

#[derive(Clone)]
enum Encryption {
    Starttls(TlsParameters),
    Implicit(TlsParameters),
    None,
}

impl Mailer {
    /// The one that the settings say, if they name a server. It is asked for nothing yet.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Option<Self>, Error> {
        let Some(host) = settings.smtp_host.clone() else { return Ok(None) };
        let from = settings.mail_from.as_ref().ok_or(Error::NoSender)?;
        let from = Mailbox::new(None, from.as_str().parse().map_err(|_| Error::Address)?);
        let port = settings.smtp_port.unwrap_or_else(|| settings.smtp_tls.port());
        let login = settings.smtp_username.as_ref().zip(settings.smtp_password.as_ref());
        let credentials =
            login.map(|(username, password)| Credentials::new(username.clone(), password.expose_secret().to_owned()));
        let encryption = encryption(settings, &host)?;
        Ok(Some(Self { host, port, encryption, credentials, from, clock }))
    }

    /// Gives a mail to the server.
    ///
    /// # Errors
    /// When the server does not take it; whether it may later, the error knows.
    pub async fn send(&self, mail: &Mail) -> Result<(), Error> {
        let message = mail.message(&self.from, &self.clock)?;
        let mut connected = None;
        let given = timeout(WHOLE, async {
            let connection = connected.insert(self.connect().await?);
            self.give(connection, &message).await
        });
        let given = given.await.unwrap_or(Err(Error::Late));
        if let Some(mut connection) = connected {
            // It has taken the mail or it has not: how it parts changes nothing, or what it has would be sent once more.
            let _ = timeout(FAREWELL, connection.command(Quit)).await;
        }
        given
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let name = ClientId::Domain(self.from.email.domain().to_owned());
        let from_its_first_byte = match &self.encryption {
            Encryption::Implicit(parameters) => Some(parameters.clone()),
            Encryption::Starttls(_) | Encryption::None => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT), &name, from_its_first_byte, None).await?;
        if let Encryption::Starttls(parameters) = &self.encryption {
            connection.starttls(parameters.clone(), &name).await?;
        }
        Ok(connection)
    }

    /// Each command by itself: the library's own `send` waits for a goodbye before it says what was refused.
    async fn give(&self, connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), Error> {
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        let envelope = message.envelope();
        connection.command(Sender::new(envelope.from().cloned(), Vec::new())).await?;
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
        }
        connection.command(Data).await?;
        connection.message(&message.formatted()).await?;
        Ok(())
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Mailer").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

fn encryption(settings: &Settings, host: &str) -> Result<Encryption, Error> {
    let parameters = || {
        let mut parameters = TlsParameters::builder(host.to_owned());
        if let Some(path) = &settings.smtp_ca_file {
            parameters = parameters
                .add_root_certificate(Certificate::from_pem(Authority::read(path)?.pem()).map_err(Error::Tls)?);
        }
        parameters.build().map_err(Error::Tls)
    };
    Ok(match settings.smtp_tls {
        Tls::Starttls => Encryption::Starttls(parameters()?),
        Tls::Implicit => Encryption::Implicit(parameters()?),
        Tls::None => Encryption::None,
    })
}
