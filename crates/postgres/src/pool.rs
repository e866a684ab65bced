//! Connections, each lent for one piece of work that has an end.
//!
//! A server, or the way to it, may fall silent: nothing is refused, and no answer comes. PostgreSQL's own limits then cut
//! nothing off, and TCP waits for a quarter of an hour. So every piece of work has a limit on this side too, and a connection
//! that was left in the middle of one is asked whether it is sound before it is lent again. One that is not is dropped.

use std::future::Future;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult};
use parking_lot::Mutex;
use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use crate::address::{Address, InvalidSettings};

/// The connections of a process for what it does by itself, beside those of its requests and the [`RELAY`]'s.
pub const BACKGROUND: u32 = 2;
/// The connections of a process for its relay.
pub const RELAY: u32 = 1;

/// How long a request waits for a connection before it is told to come again.
const ACQUIRE: Duration = Duration::from_secs(3);
/// What opening a connection may take.
const OPEN: Duration = Duration::from_secs(3);
/// What one piece of work may take; the server cuts off each statement of it before that.
const WORK: Duration = Duration::from_secs(12);
/// A connection that was lent so long ago is asked whether its server is still there. Not each: it would be a round trip on
/// each request, and a server that dies is longer away than a busy connection rests.
const RESTED: Duration = Duration::from_secs(1);
/// How long its answer is waited for.
const ANSWER: Duration = Duration::from_millis(500);
/// A connection of this age is replaced: another server may have taken the address over.
const LIFETIME: Duration = Duration::from_mins(30);
/// How long nobody needs a connection until it is closed.
const IDLE: Duration = Duration::from_mins(5);

/// For statements that name their rows by a key, over and over: each is planned once for a connection, and by the indexes. Left to
/// itself, the server plans one of few rows anew each time, which takes longer than the rows do; and one of many by what the tables
/// held when it came first, so that what began with empty ones reads full ones from end to end. A scan that cannot be avoided is
/// counted as so dear then that the server would compile it.
const BY_KEY: [(&str, &str); 3] =
    [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off")];
/// For a relay, too, whose commits wait for no disk.
const RELAYED: [(&str, &str); 1] = [("synchronous_commit", "off")];

/// Which database, and how much of it.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)] // every crate calls its own `Settings`
pub struct Settings {
    /// `postgres://login@host:5432/database`; a password in it is percent-encoded. With `?sslmode=verify-full` TLS is spoken, and the
    /// server has to show a certificate of that name; no other `sslmode` but `disable` is taken.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// The login's password, of whatever characters; absent: as `DATABASE_URL` says.
    #[arg(long, env = "DATABASE_PASSWORD", hide_env_values = true)]
    pub database_password: Option<SecretString>,
    /// A file with the certificate of the authority that vouches for the server, in PEM, beside those that browsers know.
    #[arg(long, env = "DATABASE_CA_FILE")]
    pub database_ca_file: Option<PathBuf>,
    /// The most connections that requests open. Times the most replicas, it must fit the server's `max_connections`.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 7)]
    pub database_max_connections: u32,
}

impl Settings {
    fn address(&self) -> Address<'_> {
        Address {
            url: &self.database_url,
            password: self.database_password.as_ref(),
            ca_file: self.database_ca_file.as_deref(),
        }
    }
}

/// A pool that connects when it is first used, so that a service starts while its database is still away. Clones share it.
#[derive(Debug, Clone)]
pub struct Pool {
    connections: managed::Pool<Manager>,
}

#[derive(Debug)]
struct Manager {
    options: PgConnectOptions,
    /// When a connection last gave no sign of life, or was to a server that no longer leads: those that are older went with it, and
    /// are not asked one after the other.
    lost: Mutex<Option<Instant>>,
}

/// A connection, and what became of the last work on it.
#[derive(Debug)]
struct Lent {
    connection: PgConnection,
    last: Work,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Done,
    Failed,
    /// Whoever asked has gone away in the middle of it. A statement may still run, and of a `BEGIN` that is not answered nobody knows:
    /// what came next would be done in its transaction, and never committed.
    LeftAlone,
}

impl managed::Manager for Manager {
    type Type = Lent;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Lent, sqlx::Error> {
        // Seldom, and larger than all else that a request is while it waits: a handshake is in it.
        let connection = Box::pin(within(OPEN, self.options.connect())).await?;
        Ok(Lent { connection, last: Work::Done })
    }

    async fn recycle(&self, lent: &mut Lent, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        let went_with_another = self.lost.lock().is_some_and(|lost| metrics.created <= lost);
        if went_with_another || lent.last == Work::LeftAlone || metrics.age() >= LIFETIME {
            return Err(RecycleError::message("it is replaced by a new one"));
        }
        if lent.last != Work::Failed && metrics.last_used() < RESTED {
            return Ok(());
        }
        match within(ANSWER, leads(&mut lent.connection)).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.lose();
                Err(RecycleError::message("its server takes no writes"))
            }
            // A transaction was left open in it: that says nothing of the server.
            Err(error) if crate::is_of_class(&error, &["25"]) => Err(error.into()),
            Err(error) => {
                self.lose();
                Err(error.into())
            }
        }
    }
}

impl Manager {
    fn lose(&self) {
        *self.lost.lock() = Some(Instant::now());
    }
}

/// Whether the server is there and takes writes: the one that led, and was taken over from, goes on answering reads. It is one round
/// trip, as a sign of life is, and nothing that the server keeps.
async fn leads(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::raw_sql("show transaction_read_only").fetch_one(connection).await?;
    Ok(row.try_get::<&str, _>(0)? == "off")
}

impl Pool {
    /// A pool for a service's requests; in the server's own lists its connections have this name.
    ///
    /// # Panics
    /// As [`Self::with_size`].
    pub fn new(settings: &Settings, application: &str) -> Result<Self, InvalidSettings> {
        Self::with_size(settings, application, settings.database_max_connections, &[])
    }

    /// [`BACKGROUND`] connections for what a service does by itself: it waits for no request's connection, and takes none away.
    ///
    /// # Panics
    /// As [`Self::with_size`].
    pub fn for_background(settings: &Settings, application: &str) -> Result<Self, InvalidSettings> {
        Self::with_size(settings, &format!("{application} in the background"), BACKGROUND, &BY_KEY)
    }

    /// [`RELAY`] connections for a relay, which only takes out of the outbox what the broker has: its commits wait for no disk.
    ///
    /// # Panics
    /// As [`Self::with_size`].
    pub fn for_relay(settings: &Settings, application: &str) -> Result<Self, InvalidSettings> {
        Self::with_size(settings, &format!("{application}'s relay"), RELAY, &[BY_KEY.as_slice(), &RELAYED].concat())
    }

    /// One of another size, with further parameters of the server.
    ///
    /// # Panics
    /// Never: the builder wants a runtime for limits of its own, and has none.
    fn with_size(
        settings: &Settings,
        application: &str,
        size: u32,
        parameters: &[(&str, &str)],
    ) -> Result<Self, InvalidSettings> {
        let options = options(settings.address(), application)?.options(parameters.iter().copied());
        let size = usize::try_from(size).unwrap_or(1).max(1);
        let mut config = managed::PoolConfig::new(size);
        // The last that was used is used again, and those that are not needed grow old.
        config.queue_mode = QueueMode::Lifo;
        let connections = managed::Pool::builder(Manager { options, lost: Mutex::default() }).config(config).build();
        #[expect(clippy::expect_used, reason = "what may be missing is a runtime for limits that are not asked for")]
        let connections = connections.expect("a pool without limits of its own");
        Ok(Self { connections })
    }

    /// Does some work on one connection: within [`WORK`], and without a transaction around it.
    pub async fn run<T, E>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<sqlx::Error>,
    {
        let mut lent = self.lend().await?;
        lent.last = Work::LeftAlone;
        let Ok(done) = tokio::time::timeout(WORK, work(&mut lent.connection)).await else {
            // Closed, so that the server lets go of what a transaction in it holds.
            drop(managed::Object::take(lent));
            return Err(timed_out().into());
        };
        lent.last = if done.is_ok() { Work::Done } else { Work::Failed };
        done
    }

    /// Does some work in a transaction: committed when it ends well, and else rolled back before anybody is told, so that whoever
    /// comes again meets no lock of it.
    pub async fn transaction<T, E>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<sqlx::Error>,
    {
        self.run(async |connection: &mut PgConnection| transaction(connection, work).await).await
    }

    /// Closes what nobody has needed for some time.
    pub(crate) fn rest(&self) {
        drop(self.connections.retain(|_, metrics| metrics.last_used() < IDLE));
    }

    async fn lend(&self) -> Result<managed::Object<Manager>, sqlx::Error> {
        let lent =
            tokio::time::timeout(ACQUIRE, self.connections.get()).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        lent.map_err(|error| match error {
            PoolError::Backend(error) => error,
            _ => sqlx::Error::PoolClosed,
        })
    }
}

/// Does some work in a transaction on a connection that is lent already; otherwise as [`Pool::transaction`].
pub async fn transaction<T, E>(
    connection: &mut PgConnection,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<sqlx::Error>,
{
    let mut transaction = connection.begin().await?;
    let done = work(&mut transaction).await;
    match &done {
        Ok(_) => transaction.commit().await?,
        // What went wrong is told, and not that the server has gone with it.
        Err(_) => drop(transaction.rollback().await),
    }
    done
}

/// Logs in once, beside the pool, so that the answer is the server's own and not that no connection came in time.
pub async fn reach(pool: Pool) -> Result<(), sqlx::Error> {
    within(ACQUIRE, pool.connections.manager().options.connect()).await?.close().await
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(limit, work).await.map_err(|_| timed_out())?
}

fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(ErrorKind::TimedOut.into())
}

/// How each connection is opened: no statement and no transaction of ours lasts long, and one that does is cut off by the
/// server, whatever became of the process that began it.
///
/// These are parameters of the start, which a pooler in between refuses or passes over (`PgBouncer`, `ignore_startup_parameters`).
/// Then they are to be the login's own (`alter role … set`): they bound what a lost process holds, and nothing is right by them alone.
pub(crate) fn options(address: Address<'_>, application: &str) -> Result<PgConnectOptions, InvalidSettings> {
    Ok(address.options()?.application_name(application).options([
        ("idle_in_transaction_session_timeout", "15s"),
        ("lock_timeout", "5s"),
        ("statement_timeout", "10s"),
    ]))
}
