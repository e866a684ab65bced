//! Connections to the broker.

use std::future::Future;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ecommerce_runtime::{Backoff, ErrorChain, Shutdown};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use secrecy::{ExposeSecret as _, SecretString};

use crate::metrics::SESSIONS_LOST;
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
    /// `amqp://user@host:5672/vhost`; the vhost, and a password in it, are percent-encoded.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: SecretString,
    /// The user's password, of whatever characters; absent: as `AMQP_URL` says.
    #[arg(long, env = "AMQP_PASSWORD", hide_env_values = true)]
    pub amqp_password: Option<SecretString>,
}

impl Settings {
    /// Refuses an address that is none, so that the process does not start with it.
    pub fn validate(&self) -> Result<(), Error> {
        self.uri().map(drop)
    }

    fn uri(&self) -> Result<AMQPUri, Error> {
        let mut uri = AMQPUri::from_str(self.amqp_url.expose_secret()).map_err(|_| Error::InvalidUrl)?;
        if let Some(password) = &self.amqp_password {
            password.expose_secret().clone_into(&mut uri.authority.userinfo.password);
        }
        uri.query.heartbeat = Some(HEARTBEAT);
        uri.query.frame_max = Some(LARGEST_FRAME);
        Ok(uri)
    }
}

/// A connection with one channel on which the topology stands. Clones share them.
#[derive(Clone)]
pub(crate) struct Session {
    connection: Arc<Connection>,
    pub(crate) channel: Channel,
}

impl Session {
    pub(crate) async fn open(settings: &Settings, name: &str) -> Result<Self, Error> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let open = async {
            let connection = Connection::connect_uri(settings.uri()?, properties).await?;
            let channel = connection.create_channel().await?;
            topology::declare(&channel).await?;
            Ok(Self { connection: Arc::new(connection), channel })
        };
        tokio::time::timeout(ANSWER, open).await.map_err(|_| Error::TimedOut)?
    }

    /// A further channel, for what may close it.
    pub(crate) async fn another_channel(&self) -> Result<Channel, Error> {
        let open = tokio::time::timeout(ANSWER, self.connection.create_channel()).await;
        Ok(open.map_err(|_| Error::TimedOut)??)
    }

    pub(crate) async fn close(self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.connection.close(200, "goodbye".into())).await;
    }
}

/// Logs in once, and sees that the topology stands.
pub async fn reach(settings: Settings) -> Result<(), Error> {
    Session::open(&settings, "readiness").await?.close().await;
    Ok(())
}

/// The waits between tries.
pub(crate) fn backoff() -> Backoff {
    Backoff::new(SHORTEST_WAIT, LONGEST_WAIT)
}

/// Runs `work` in one session after another until the process stops. `work` answers `Ok` only when it has stopped.
pub(crate) async fn supervise<F>(
    settings: &Settings,
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
            opened = Session::open(settings, name) => opened,
        };
        let ended = match opened {
            Ok(session) => {
                tracing::info!(connection = name, "connected to the broker");
                let began = Instant::now();
                let ended = work(session.clone()).await;
                if began.elapsed() > STEADY {
                    backoff.reset();
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
