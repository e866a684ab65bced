//! Sessions: auth writes them, the gateway reads them. A session that is not there has ended.

use std::time::Duration;

use ecommerce_types::{SessionId, UserId};
use fred::interfaces::KeysInterface as _;
use fred::types::Expiration;
use serde::{Deserialize, Serialize};

use crate::{Error, Redis};

/// What the gateway needs to know of a session that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose session.
    pub user_id: UserId,
    /// The version of the user's roles; a token with an older one is refused.
    pub roles_version: i32,
}

/// The sessions of a stack.
#[derive(Debug, Clone)]
pub struct Sessions {
    redis: Redis,
}

impl Sessions {
    /// The sessions in this Redis.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Lets a session stand for `lifetime`, in whole seconds.
    pub async fn put(&self, id: SessionId, session: &Session, lifetime: Duration) -> Result<(), Error> {
        let value = serde_json::to_string(session)?;
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let expiry = Some(Expiration::EX(seconds));
        self.redis.commands.set::<(), _, _>(self.key(id), value, expiry, None, false).await?;
        Ok(())
    }

    /// Ends sessions; those that have ended already are no error.
    pub async fn remove(&self, ids: &[SessionId]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = ids.iter().map(|id| self.key(*id)).collect();
        self.redis.commands.del::<(), _>(keys).await?;
        Ok(())
    }

    /// The session; `None` when it has ended.
    pub async fn get(&self, id: SessionId) -> Result<Option<Session>, Error> {
        let value: Option<String> = self.redis.commands.get(self.key(id)).await?;
        Ok(value.map(|json| serde_json::from_str(&json)).transpose()?)
    }

    /// Tells each time that Redis has come back after it was away: it may have forgotten the latest endings.
    #[must_use]
    pub fn returns(&self) -> crate::Returns {
        self.redis.returns()
    }

    fn key(&self, id: SessionId) -> String {
        self.redis.key(&format!("session:{id}"))
    }
}
