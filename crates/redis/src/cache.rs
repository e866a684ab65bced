//! A cache in front of a database. It may be away, empty or slow: the database answers then, and nothing is wrong but the
//! time it takes.
//!
//! A value is loaded once for all that miss it at the same time in one process. After a change, [`Cache::invalidate`] puts a
//! mark in the value's place for [`CHANGED`]: a load that began before the change then cannot put its old value back, because
//! values are only ever put where there is nothing. A mark names its change, and what is loaded by somebody who has read it is put beside
//! it, under the name of the change: nobody reads there any more once another mark is in its place. So what changes all the time is
//! cached, too.
//!
//! What strangers can ask for has no end, so a cache leaves half of the server's memory to the sessions.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ecommerce_types::Clock;
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
/// What a mark begins with, before the name of its change. No JSON does.
const MARK: &str = "changed:";

/// One kind of thing, cached by a key of its own.
#[derive(Debug)]
pub struct Cache<V, E> {
    redis: Redis,
    name: &'static str,
    lifetime: Duration,
    /// Names changes.
    names: Clock,
    room: Room,
    loads: SingleFlight<Result<V, Arc<E>>>,
}

/// What Redis said when it was asked for a value.
enum Found<V> {
    Value(V),
    /// What is loaded from now on has its place there.
    Nothing(Place),
    /// There is no use in putting a value anywhere: Redis is away, or another version has written what is there.
    Closed,
}

/// Where a value is put, and for how long.
struct Place {
    key: String,
    lifetime: Duration,
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
        let names = Clock::system();
        Self { redis, name, lifetime, names, room: Room::default(), loads: SingleFlight::new() }
    }

    /// The cached value, or what `load` gives; many that miss it at once share one load and its outcome.
    pub async fn get_or_load<F>(&self, key: &str, load: impl FnOnce() -> F) -> Result<V, Arc<E>>
    where
        F: Future<Output = Result<V, E>>,
    {
        self.loads
            .get_or_load(key, || async {
                let place = match self.find(key).await {
                    Found::Value(value) => return Ok(value),
                    Found::Nothing(place) => Some(place),
                    Found::Closed => None,
                };
                let value = load().await.map_err(Arc::new)?;
                if let Some(place) = place {
                    self.put(place, &value);
                }
                Ok(value)
            })
            .await
    }

    /// To be called after the change of a thing is committed: what is asked for from then on is loaded anew.
    pub async fn invalidate(&self, key: &str) {
        let mark = format!("{MARK}{}", self.names.new_id());
        let marked = self
            .redis
            .commands
            .set::<(), _, _>(self.redis_key(key), mark, Some(expiration(CHANGED)), None, false)
            .await;
        if let Err(error) = marked {
            tracing::warn!(%error, cache = self.name, "unable to invalidate; the old value stays until its time is over");
        }
        self.loads.forget(key);
    }

    async fn find(&self, key: &str) -> Found<V> {
        let place = Place { key: self.redis_key(key), lifetime: self.lifetime };
        let (found, outcome) = match self.read(&place.key).await {
            Ok(Some(text)) => match text.strip_prefix(MARK) {
                Some(change) => {
                    let lifetime = self.lifetime.min(CHANGED);
                    let beside = Place { key: format!("{}:{change}", place.key), lifetime };
                    let found = self.read(&beside.key).await;
                    read(found, beside, "changed")
                }
                None => read(Ok(Some(text)), place, "miss"),
            },
            found => read(found, place, "miss"),
        };
        CACHE_LOOKUPS.increment([self.name, outcome]);
        found
    }

    async fn read(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.redis.commands.get(key).await?)
    }

    /// Puts a value where there is none, without keeping the one who asked waiting.
    fn put(&self, place: Place, value: &V) {
        let Ok(json) = serde_json::to_string(value) else { return };
        let (commands, room, Place { key, lifetime }) = (self.redis.commands.clone(), self.room.clone(), place);
        tokio::spawn(async move {
            if !room.is_there(&commands).await {
                return;
            }
            let put: Result<(), _> =
                commands.set(key, json, Some(expiration(lifetime)), Some(SetOptions::NX), false).await;
            if let Err(error) = put {
                tracing::debug!(%error, "unable to cache a value");
            }
        });
    }

    fn redis_key(&self, key: &str) -> String {
        self.redis.key(&format!("cache:{}:{key}", self.name))
    }
}

/// What was read at a place; `nothing` is what it is called when nothing is there.
fn read<V: DeserializeOwned>(
    found: Result<Option<String>, Error>,
    place: Place,
    nothing: &'static str,
) -> (Found<V>, &'static str) {
    match found.map(|found| found.map(|json| serde_json::from_str(&json))) {
        Ok(Some(Ok(value))) => (Found::Value(value), "hit"),
        // Another version of this service wrote it, and reads it too.
        Ok(Some(Err(_))) => (Found::Closed, "malformed"),
        Ok(None) => (Found::Nothing(place), nothing),
        Err(_) => (Found::Closed, "away"),
    }
}

fn expiration(lifetime: Duration) -> Expiration {
    Expiration::PX(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX))
}
