//! The connection: one for a process, shared by all its requests. It comes back by itself; while it is away a command fails
//! at once, and while the server is slow a command fails after [`COMMAND_TIMEOUT`]. Nothing waits in a queue for Redis.
//!
//! A server that was taken over from and lives on answers writes with READONLY: the connection is made anew then, to whoever
//! the sentinels, or the name, lead to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fred::clients::{Client, WithOptions};
use fred::error::ErrorKind;
use fred::interfaces::{ClientLike as _, EventInterface as _};
use fred::types::Builder;
use fred::types::config::{Options, ReconnectError, ReconnectPolicy, Server};
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::address::{self, InvalidSettings};

/// What one command may take.
pub const COMMAND_TIMEOUT: Duration = Duration::from_millis(500);
/// What a start waits for the first connection before it goes on without.
const FIRST_CONNECTION: Duration = Duration::from_secs(2);
/// A server that is silent for so long is taken for gone: the connection is made anew.
const SILENCE: Duration = Duration::from_secs(5);
/// Commands in hand; more are refused.
const IN_HAND: usize = 1024;

/// Which Redis, and which part of it.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// `redis://user@host:6379/0`; a password in it is percent-encoded. Behind sentinels
    /// `redis-sentinel://user@host:26379/0?sentinelServiceName=name&node=host2:26379`, with `sentinelUsername` and `sentinelPassword` where
    /// they ask for them. With `rediss` in place of `redis` TLS is spoken, and each has to show a certificate of the name, or the address,
    /// by which it is known.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: SecretString,
    /// The user's password, of whatever characters; absent: as `REDIS_URL` says.
    #[arg(long, env = "REDIS_PASSWORD", hide_env_values = true)]
    pub redis_password: Option<SecretString>,
    /// A file with the certificate of the authority that vouches for Redis, in PEM, which alone is believed then; absent: those that
    /// browsers know.
    #[arg(long, env = "REDIS_CA_FILE")]
    pub redis_ca_file: Option<PathBuf>,
    /// What every key begins with, such as `default.shop:`, so that stacks can share a server.
    #[arg(long, env = "REDIS_PREFIX")]
    pub redis_prefix: String,
}

/// Why Redis did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings say what cannot be.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// Redis is away, slow, or refuses.
    #[error("unable to reach redis")]
    Unavailable(#[from] fred::error::Error),
    /// A value is not of the form that is written here.
    #[error("a value in redis is malformed")]
    Malformed(#[from] serde_json::Error),
}

/// A connection and a prefix. Clones share the connection.
#[derive(Clone)]
pub struct Redis {
    pub(crate) commands: WithOptions<Client>,
    client: Client,
    absence: Absence,
    prefix: Arc<str>,
}

/// Why there is no connection, while there is none.
type Absence = Arc<Mutex<Option<fred::error::Error>>>;

impl Redis {
    /// Connects. When Redis is away the connection is made later, and until then every command fails.
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        let mut config = address::config(settings)?;
        let is_encrypted = config.uses_tls();
        config.fail_fast = false; // the first connection is tried again like any other
        let client = Builder::from_config(config)
            .with_connection_config(|connection| {
                connection.connection_timeout = FIRST_CONNECTION;
                connection.internal_command_timeout = FIRST_CONNECTION;
                connection.max_command_buffer_len = IN_HAND;
                connection.unresponsive.max_timeout = Some(SILENCE);
                connection.unresponsive.interval = SILENCE / 4;
                connection.tcp.nodelay = Some(true);
                connection.reconnect_errors = vec![ReconnectError::ReadOnly];
            })
            .with_performance_config(|performance| performance.default_command_timeout = COMMAND_TIMEOUT)
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 250, 2))
            .build()?;
        let options =
            Options { fail_fast: true, max_attempts: Some(1), timeout: Some(COMMAND_TIMEOUT), ..Options::default() };
        let commands = client.with_options(&options);
        let absence = Absence::default();
        tokio::spawn(follow_absence(absence.clone(), is_encrypted, client.error_rx(), client.reconnect_rx()));
        client.connect();
        if tokio::time::timeout(FIRST_CONNECTION, client.wait_for_connect()).await.is_err() {
            tracing::warn!("redis is away; going on without until it comes");
        }
        Ok(Self { commands, client, absence, prefix: settings.redis_prefix.as_str().into() })
    }

    /// Asks whether Redis is there and has let us in.
    pub async fn reach(self) -> Result<(), Error> {
        let Err(error) = self.commands.ping::<()>(None).await else { return Ok(()) };
        // A command is told that there is no connection, and not why.
        let why = self.absence.lock().clone();
        Err(why.unwrap_or(error).into())
    }

    /// The full key of `name` in this part of Redis.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Tells each time that Redis has come back after it was away.
    #[must_use]
    pub fn returns(&self) -> Returns {
        Returns(self.client.reconnect_rx())
    }

    /// Tells each time that the connection is lost.
    #[must_use]
    pub fn losses(&self) -> Losses {
        Losses(self.client.error_rx())
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// The times that Redis comes back.
#[derive(Debug)]
pub struct Returns(broadcast::Receiver<Server>);

impl Returns {
    /// Resolves when Redis comes back the next time.
    pub async fn next(&mut self) {
        if let Err(RecvError::Closed) = self.0.recv().await {
            std::future::pending::<()>().await;
        }
    }
}

/// The times that the connection is lost.
#[derive(Debug)]
pub struct Losses(broadcast::Receiver<(fred::error::Error, Option<Server>)>);

impl Losses {
    /// Resolves when the connection is lost the next time.
    pub async fn next(&mut self) {
        if let Err(RecvError::Closed) = self.0.recv().await {
            std::future::pending::<()>().await;
        }
    }
}

/// Knows why Redis is away. One line when it goes and one when it comes, not one for each attempt in between.
async fn follow_absence(
    absence: Absence,
    is_encrypted: bool,
    mut errors: broadcast::Receiver<(fred::error::Error, Option<Server>)>,
    mut returns: broadcast::Receiver<Server>,
) {
    loop {
        tokio::select! {
            error = errors.recv() => match error {
                Ok((error, _)) => {
                    let error = if is_encrypted { in_words(error) } else { error };
                    let before = absence.lock().replace(error.clone());
                    if before.is_none() {
                        tracing::warn!(%error, "redis went away");
                    }
                }
                Err(RecvError::Closed) => return,
                Err(RecvError::Lagged(_)) => {}
            },
            returned = returns.recv() => match returned {
                Ok(_) => {
                    let before = absence.lock().take();
                    if before.is_some() {
                        tracing::info!("redis is back");
                    }
                }
                Err(RecvError::Closed) => return,
                Err(RecvError::Lagged(_)) => {}
            },
        }
    }
}

/// What is wrong with a certificate, rustls says. Redis in clear says nothing to a handshake: it waits for the end of a line.
fn in_words(error: fred::error::Error) -> fred::error::Error {
    match error.kind() {
        ErrorKind::Timeout => {
            fred::error::Error::new(ErrorKind::Timeout, "no answer by TLS in time: is it spoken at this port?")
        }
        _ => error,
    }
}
