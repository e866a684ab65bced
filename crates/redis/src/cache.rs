//! A cache in front of a database. It may be away, empty or slow: the database answers then, and nothing is wrong but the
//! time it takes.
//!
//! A value is loaded once for all that miss it at the same time in one process. After a change, [`Cache::invalidate`] puts a
//! mark in the value's place for [`CHANGED`]: a load that began before the change then cannot put its old value back, because
//! values are only ever put where there is nothing.
//!
//! What strangers can ask for has no end, so a cache leaves half of the server's memory to the sessions.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use fred::interfaces::KeysInterface as _;
use fred::types::{Expiration, SetOptions};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::metrics::CACHE_LOOKUPS;
use crate::room::Room;
use crate::single_flight::SingleFlight;
use crate::{Error, Redis};

/// How long the mark of a change stays: longer than any load takes.
pub const CHANGED: Duration = Duration::from_secs(5);
/// The mark. No JSON is empty.
const MARK: &str = "";

/// One kind of thing, cached by a key of its own.
#[derive(Debug)]
pub struct Cache<V, E> {
    redis: Redis,
    name: &'static str,
    lifetime: Duration,
    room: Room,
    loads: SingleFlight<Result<V, Arc<E>>>,
}

/// What Redis said when it was asked for a value.
enum Found<V> {
    Value(V),
    Nothing,
    /// There is no use in putting a value there: it has just changed, or Redis is away.
    Closed,
}

impl<V, E> Cache<V, E>
where
    V: Clone + Serialize + DeserializeOwned + Send + Sync,
    E: Send + Sync,
{
    /// A cache of the things called `name`; each is kept for `lifetime`, which is also how long a change stays unseen when
    /// Redis was away as it happened.
    #[must_use]
    pub fn new(redis: Redis, name: &'static str, lifetime: Duration) -> Self {
        Self { redis, name, lifetime, room: Room::default(), loads: SingleFlight::new() }
    }

    /// The cached value, or what `load` gives; many that miss it at once share one load and its outcome.
    pub async fn get_or_load<F>(&self, key: &str, load: impl FnOnce() -> F) -> Result<V, Arc<E>>
    where
        F: Future<Output = Result<V, E>>,
    {
        self.loads
            .get_or_load(key, || async {
                let found = self.find(key).await;
                if let Found::Value(value) = found {
                    return Ok(value);
                }
                let value = load().await.map_err(Arc::new)?;
                if matches!(found, Found::Nothing) {
                    self.put(key, &value);
                }
                Ok(value)
            })
            .await
    }

    /// To be called after the change of a thing is committed: what is asked for from then on is loaded anew.
    pub async fn invalidate(&self, key: &str) {
        let mark = Some(Expiration::PX(i64::try_from(CHANGED.as_millis()).unwrap_or(i64::MAX)));
        let marked = self.redis.commands.set::<(), _, _>(self.redis_key(key), MARK, mark, None, false).await;
        if let Err(error) = marked {
            tracing::warn!(%error, cache = self.name, "unable to invalidate; the old value stays until its time is over");
        }
        self.loads.forget(key);
    }

    async fn find(&self, key: &str) -> Found<V> {
        let (found, outcome) = match self.read(key).await {
            Ok(None) => (Found::Nothing, "miss"),
            Ok(Some(json)) if json == MARK => (Found::Closed, "changed"),
            Ok(Some(json)) => match serde_json::from_str(&json) {
                Ok(value) => (Found::Value(value), "hit"),
                // Another version of this service wrote it, and reads it too.
                Err(_) => (Found::Closed, "malformed"),
            },
            Err(_) => (Found::Closed, "away"),
        };
        CACHE_LOOKUPS.increment([self.name, outcome]);
        found
    }

    async fn read(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.redis.commands.get(self.redis_key(key)).await?)
    }

    /// Puts a value where there is none, without keeping the one who asked waiting.
    fn put(&self, key: &str, value: &V) {
        let Ok(json) = serde_json::to_string(value) else { return };
        let (commands, room, key) = (self.redis.commands.clone(), self.room.clone(), self.redis_key(key));
        let lifetime = Some(Expiration::PX(i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX)));
        tokio::spawn(async move {
            if !room.is_there(&commands).await {
                return;
            }
            let put: Result<(), _> = commands.set(key, json, lifetime, Some(SetOptions::NX), false).await;
            if let Err(error) = put {
                tracing::debug!(%error, "unable to cache a value");
            }
        });
    }

    fn redis_key(&self, key: &str) -> String {
        self.redis.key(&format!("cache:{}:{key}", self.name))
    }
}
