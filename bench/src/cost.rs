//! What the shop has taken so far, of everything that an order costs; what one order costs is a difference.

use std::collections::BTreeMap;
use std::time::Duration;

use ecommerce_contract::Service;
use operator::names::Backend;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection, Row as _};

use crate::frontend::RoundTrips;
use crate::{Failure, Shop};

/// Clock ticks of Linux in a second, as programs see them.
const TICKS: u64 = 100;

/// Everything that is counted.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    /// Of all services with PostgreSQL, and of each.
    pub round_trips: BTreeMap<Service, u64>,
    /// Transactions that ended well, those that only read too.
    pub commits: i64,
    /// How often PostgreSQL's log was put on the disk.
    pub flushes: i64,
    /// Bytes of that log.
    pub log_bytes: i64,
    /// Shared buffers that statements have touched, whether or not they were in memory.
    pub buffers: i64,
    /// Time of processors, by the process that took it.
    pub cpu: BTreeMap<String, Duration>,
}

/// Who counts.
#[derive(Debug)]
pub struct Counting {
    round_trips: BTreeMap<Service, RoundTrips>,
    postgres: PgConnection,
}

impl Counting {
    /// Counts round trips with these, and asks PostgreSQL over a connection of its own.
    pub async fn new(shop: &Shop, round_trips: BTreeMap<Service, RoundTrips>) -> Result<Self, Failure> {
        let options: PgConnectOptions = shop.database_url(Service::Order).parse()?;
        Ok(Self { round_trips, postgres: options.connect().await? })
    }

    /// What was taken so far. PostgreSQL's processes tell their figures once a second.
    pub async fn now(&mut self, shop: &Shop) -> Result<Cost, Failure> {
        let query = "select (select sum(xact_commit)::bigint from pg_stat_database) as commits, wal_sync as flushes,
                       wal_bytes::bigint as log_bytes,
                       (select sum(hits + reads)::bigint from pg_stat_io where backend_type = 'client backend') as buffers
                     from pg_stat_wal";
        let row = sqlx::query(query).fetch_one(&mut self.postgres).await?;
        let mut cpu = BTreeMap::new();
        for (service, replicas) in &shop.services {
            let mut taken = Duration::ZERO;
            for replica in replicas {
                taken += replica.id().map(cpu_of).transpose()?.unwrap_or_default();
            }
            cpu.insert(service.to_string(), taken);
        }
        for (backend, store) in &shop.stores {
            cpu.insert(backend.as_str().to_owned(), store.cpu()?);
        }
        Ok(Cost {
            round_trips: self.round_trips.iter().map(|(service, trips)| (*service, trips.count())).collect(),
            commits: row.try_get("commits")?,
            flushes: row.try_get("flushes")?,
            log_bytes: row.try_get("log_bytes")?,
            buffers: row.try_get("buffers")?,
            cpu,
        })
    }

    /// Of a hundred changes of orders, how many stayed in the order's page and touched no index.
    pub async fn hot_changes(&mut self) -> Result<i64, Failure> {
        let query = "select coalesce(100 * n_tup_hot_upd / nullif(n_tup_upd, 0), 0) from pg_stat_user_tables where relname = 'orders'";
        Ok(sqlx::query_scalar(query).fetch_one(&mut self.postgres).await?)
    }
}

impl Cost {
    /// What came since.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let trips = self.round_trips.iter().map(|(service, now)| (*service, now - before.round_trips[service]));
        let cpu = self.cpu.iter().map(|(name, now)| (name.clone(), now.saturating_sub(before.cpu[name])));
        Self {
            round_trips: trips.collect(),
            commits: self.commits - before.commits,
            flushes: self.flushes - before.flushes,
            log_bytes: self.log_bytes - before.log_bytes,
            buffers: self.buffers - before.buffers,
            cpu: cpu.collect(),
        }
    }

    /// Round trips of all services.
    #[must_use]
    pub fn all_round_trips(&self) -> u64 {
        self.round_trips.values().sum()
    }
}

/// User and system time of a process (proc(5), fields 14 and 15).
fn cpu_of(process: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no name in stat")?;
    let ticks: Vec<u64> = after_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 1000 / TICKS))
}

/// The store whose round trips are counted.
pub const COUNTED: Backend = Backend::Postgres;
