//! The connection: one for a process, shared by all its requests. It comes back by itself; while it is away a command fails
//! at once, and while the server is slow a command fails after [`COMMAND_TIMEOUT`]. Nothing waits in a queue for Redis.

use std::sync::Arc;
use std::time::Duration;

use fred::clients::{Client, WithOptions};
use fred::interfaces::{ClientLike as _, EventInterface as _};
use fred::types::Builder;
use fred::types::config::{Config, Options, ReconnectPolicy, Server};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

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
    /// `redis://user@host:6379/0`; a password in it is percent-encoded.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: SecretString,
    /// The user's password, of whatever characters; absent: as `REDIS_URL` says.
    #[arg(long, env = "REDIS_PASSWORD", hide_env_values = true)]
    pub redis_password: Option<SecretString>,
    /// What every key begins with, such as `default.shop:`, so that stacks can share a server.
    #[arg(long, env = "REDIS_PREFIX")]
    pub redis_prefix: String,
}

/// Why Redis did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("REDIS_URL is not of the form redis://user@host:6379/0")]
    Url,
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
    prefix: Arc<str>,
}

impl Redis {
    /// Connects. When Redis is away the connection is made later, and until then every command fails.
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        let mut config = Config::from_url_centralized(settings.redis_url.expose_secret()).map_err(|_| Error::Url)?;
        if let Some(password) = &settings.redis_password {
            config.password = Some(password.expose_secret().to_owned());
        }
        config.fail_fast = false; // the first connection is tried again like any other
        let client = Builder::from_config(config)
            .with_connection_config(|connection| {
                connection.connection_timeout = FIRST_CONNECTION;
                connection.internal_command_timeout = FIRST_CONNECTION;
                connection.max_command_buffer_len = IN_HAND;
                connection.unresponsive.max_timeout = Some(SILENCE);
                connection.unresponsive.interval = SILENCE / 4;
                connection.tcp.nodelay = Some(true);
            })
            .with_performance_config(|performance| performance.default_command_timeout = COMMAND_TIMEOUT)
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 250, 2))
            .build()?;
        let options =
            Options { fail_fast: true, max_attempts: Some(1), timeout: Some(COMMAND_TIMEOUT), ..Options::default() };
        let commands = client.with_options(&options);
        tokio::spawn(log_absence(client.error_rx(), client.reconnect_rx()));
        client.connect();
        if tokio::time::timeout(FIRST_CONNECTION, client.wait_for_connect()).await.is_err() {
            tracing::warn!("redis is away; going on without until it comes");
        }
        Ok(Self { commands, client, prefix: settings.redis_prefix.as_str().into() })
    }

    /// Asks whether Redis is there and has let us in.
    pub async fn reach(self) -> Result<(), Error> {
        self.commands.ping::<()>(None).await?;
        Ok(())
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

/// One line when Redis goes and one when it comes, not one for each attempt in between.
async fn log_absence(
    mut errors: broadcast::Receiver<(fred::error::Error, Option<Server>)>,
    mut returns: broadcast::Receiver<Server>,
) {
    let mut away = false;
    loop {
        tokio::select! {
            error = errors.recv() => match error {
                Ok((error, _)) if !away => {
                    away = true;
                    tracing::warn!(%error, "redis went away");
                }
                Err(RecvError::Closed) => return,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
            },
            returned = returns.recv() => match returned {
                Ok(_) if away => {
                    away = false;
                    tracing::info!("redis is back");
                }
                Err(RecvError::Closed) => return,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
            },
        }
    }
}
