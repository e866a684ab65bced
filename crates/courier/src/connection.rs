//! Connections to the broker.

use std::future::Future;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ecommerce_runtime::{Backoff, ErrorChain, Shutdown};
use ecommerce_tls::Authority;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use crate::metrics::SESSIONS_LOST;
use crate::stream::{self, Encryption};
use crate::{Error, topology};

/// A dead peer is noticed after two of these, in seconds.
const HEARTBEAT: u16 = 3;
/// Bytes of the largest frame, the least that RabbitMQ takes; a longer message is several frames. The client library keeps
/// room for 64 of them for each connection, which is 16 MiB for two at the broker's own 128 KiB.
const LARGEST_FRAME: u32 = 8192;
/// How long the broker may take to answer anything.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);

/// Between two tries, before what chance adds.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A session that lasted this long was a good one: after it, connecting again begins with the shortest wait.
const STEADY: Duration = Duration::from_secs(10);

/// Which broker.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// `amqp://user@host:5672/vhost`; the vhost, and a password in it, are percent-encoded. With `amqps://` TLS is spoken, and the
    /// broker has to show a certificate of that name.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: SecretString,
    /// The user's password, of whatever characters; absent: as `AMQP_URL` says.
    #[arg(long, env = "AMQP_PASSWORD", hide_env_values = true)]
    pub amqp_password: Option<SecretString>,
    /// A file with the certificate of the authority that vouches for the broker, in PEM, which alone is believed then; absent: those
    /// that browsers know.
    #[arg(long, env = "AMQP_CA_FILE")]
    pub amqp_ca_file: Option<PathBuf>,
}

impl Settings {
    fn uri(&self) -> Result<AMQPUri, Error> {
        let mut uri = AMQPUri::from_str(self.amqp_url.expose_secret()).map_err(|_| Error::InvalidUrl)?;
        if let Some(password) = &self.amqp_password {
            password.expose_secret().clone_into(&mut uri.authority.userinfo.password);
        }
        uri.query.heartbeat = Some(HEARTBEAT);
        uri.query.frame_max = Some(LARGEST_FRAME);
        Ok(uri)
    }

    /// How what is sent there is encrypted, if it is.
    fn encryption(&self, uri: &AMQPUri) -> Result<Option<Encryption>, Error> {
        match (&uri.scheme, &self.amqp_ca_file) {
            (AMQPScheme::AMQP, None) => Ok(None),
            (AMQPScheme::AMQP, Some(_)) => Err(Error::AuthorityWithoutTls),
            (AMQPScheme::AMQPS, file) => {
                let authority = file.as_deref().map(Authority::read).transpose()?;
                Encryption::of(&uri.authority.host, authority.as_ref()).map(Some)
            }
        }
    }
}

/// One process's way to its broker: what its connections have in common. Clones share it.
///
/// What publishes and what consumes has a connection each, because the broker stops reading from one that publishes while its memory
/// or its disk is full, acknowledgements and all. The topology is declared by whichever of them comes first, and again when one was lost.
#[derive(Debug, Clone)]
pub struct Connections {
    uri: Arc<AMQPUri>,
    encryption: Option<Encryption>,
    topology: Arc<Mutex<Topology>>,
}

/// What this process knows of the topology.
#[derive(Debug, Default)]
struct Topology {
    stands: bool,
    /// How often it was declared.
    times: u64,
}

impl Connections {
    /// To the broker at this address; none is opened yet.
    ///
    /// # Errors
    /// When the address or the authority is none, so that the process does not start with it.
    pub fn to(settings: &Settings) -> Result<Self, Error> {
        let uri = settings.uri()?;
        let encryption = settings.encryption(&uri)?;
        Ok(Self { uri: Arc::new(uri), encryption, topology: Arc::default() })
    }

    /// Sees that the topology stands; logs in for that where no other connection has.
    pub async fn reach(self) -> Result<(), Error> {
        if !self.topology.lock().await.stands {
            self.open("readiness").await?.close().await;
        }
        Ok(())
    }

    pub(crate) async fn open(&self, name: &str) -> Result<Session, Error> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let open = async {
            let connection = stream::connect((*self.uri).clone(), properties, self.encryption.clone()).await?;
            let channel = connection.create_channel().await?;
            let declared = self.declare_once(&channel).await?;
            Ok(Session { connection: Arc::new(connection), channel, declared, unheard: Arc::default() })
        };
        tokio::time::timeout(ANSWER, open).await.map_err(|_| Error::TimedOut)?
    }

    /// Answers how often it was declared, this time included.
    async fn declare_once(&self, channel: &Channel) -> Result<u64, Error> {
        let mut topology = self.topology.lock().await;
        if !topology.stands {
            topology::declare(channel).await?;
            topology.stands = true;
            topology.times += 1;
        }
        Ok(topology.times)
    }

    /// The broker may have come back without it. Where it was declared since, another of the connections has seen the same loss.
    async fn doubt_topology(&self, declared: u64) {
        let mut topology = self.topology.lock().await;
        if topology.times == declared {
            topology.stands = false;
        }
    }
}

/// A connection with one channel on which the topology stands. Clones share them.
#[derive(Clone)]
pub(crate) struct Session {
    connection: Arc<Connection>,
    pub(crate) channel: Channel,
    /// How often the topology had been declared when this was opened.
    declared: u64,
    /// Whether somebody has stopped listening for the confirms of what was published.
    unheard: Arc<AtomicBool>,
}

impl Session {
    /// A further channel, for what may close it.
    pub(crate) async fn another_channel(&self) -> Result<Channel, Error> {
        let open = tokio::time::timeout(ANSWER, self.connection.create_channel()).await;
        Ok(open.map_err(|_| Error::TimedOut)??)
    }

    /// Whether the broker reads nothing from this connection for now, since its memory or its disk is full. Then nothing that is
    /// asked on it is answered, and it is not to be given up either: what waits in it would be sent in the end, over and over.
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// An error once the connection is lost, or, as soon as the broker reads again, when confirms go unheard on it.
    pub(crate) fn stands(&self) -> Result<(), Error> {
        if !self.connection.status().connected() {
            Err(Error::Lost)
        } else if !self.is_blocked() && self.unheard.load(Ordering::Relaxed) {
            Err(Error::TimedOut)
        } else {
            Ok(())
        }
    }

    /// Begins to listen for confirms. The client library hands a returned message out with whichever confirm comes next, also with one
    /// that nobody listens for, and what was returned would be taken for taken: so this is the last that is published in the
    /// session, unless all of them are [heard](Listening::has_heard_all).
    pub(crate) fn listen(&self) -> Listening<'_> {
        Listening { unheard: &self.unheard, has_heard_all: false }
    }

    pub(crate) async fn close(self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.connection.close(200, "goodbye".into())).await;
    }
}

/// Somebody who waits for the confirms of what is published.
pub(crate) struct Listening<'s> {
    unheard: &'s AtomicBool,
    has_heard_all: bool,
}

impl Listening<'_> {
    pub(crate) fn has_heard_all(mut self) {
        self.has_heard_all = true;
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        if !self.has_heard_all {
            self.unheard.store(true, Ordering::Relaxed);
        }
    }
}

/// The waits between tries.
pub(crate) fn backoff() -> Backoff {
    Backoff::new(SHORTEST_WAIT, LONGEST_WAIT)
}

/// Runs `work` in one session after another until the process stops. `work` answers `Ok` only when it has stopped.
pub(crate) async fn supervise<F>(
    connections: &Connections,
    name: &'static str,
    shutdown: &Shutdown,
    work: impl Fn(Session) -> F,
) where
    F: Future<Output = Result<(), Error>>,
{
    let mut backoff = backoff();
    while !shutdown.is_stopped() {
        let opened = tokio::select! {
            () = shutdown.stopped() => return,
            opened = connections.open(name) => opened,
        };
        let ended = match opened {
            Ok(session) => {
                tracing::info!(connection = name, "connected to the broker");
                let began = Instant::now();
                let ended = work(session.clone()).await;
                if began.elapsed() > STEADY {
                    backoff.reset();
                }
                if ended.is_err() {
                    connections.doubt_topology(session.declared).await;
                }
                session.close().await;
                ended
            }
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            SESSIONS_LOST.increment([name]);
            tracing::warn!(connection = name, error = %ErrorChain(&error), "unable to keep the broker; connecting again");
            backoff.wait(shutdown).await;
        }
    }
}
