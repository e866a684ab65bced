//! Sessions: auth writes them, the gateway reads them. A session that is not there has ended.
//!
//! A Redis that was killed or put back may have forgotten the last endings. So auth tells them once more to each run of a
//! server and then writes down which run it was ([`Sessions::mark_complete`]); until that is so ([`Sessions::are_complete`])
//! an ending that is there is believed, and a session that stands is not.

use std::time::Duration;

use ecommerce_types::{SessionId, UserId};
use fred::interfaces::{ClientLike as _, KeysInterface as _};
use fred::types::{Expiration, InfoKind, SetOptions};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::{Error, Redis};

/// Beside the sessions, since that is what auth may write and the gateway may read; no session has this id.
const COMPLETE: &str = "session:complete";

/// What the gateway needs to know of a session that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose session.
    pub user_id: UserId,
    /// The version of the user's roles; a token with an older one is refused.
    pub roles_version: i32,
}

/// One run of a server, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run(String);

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

    /// Lets a session that stands do so for `lifetime` from now; one that does not is not revived.
    pub async fn keep(&self, id: SessionId, lifetime: Duration) -> Result<(), Error> {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        self.redis.commands.expire::<(), _>(self.key(id), seconds, None).await?;
        Ok(())
    }

    /// Changes sessions that stand, and neither revives one that does not nor lets it stand longer.
    pub async fn change(&self, sessions: &[(SessionId, Session)]) -> Result<(), Error> {
        let changes = sessions.iter().map(async |(id, session)| {
            let value = serde_json::to_string(session)?;
            let (expiry, options) = (Some(Expiration::KEEPTTL), Some(SetOptions::XX));
            self.redis.commands.set::<Option<String>, _, _>(self.key(*id), value, expiry, options, false).await?;
            Ok::<(), Error>(())
        });
        try_join_all(changes).await?;
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

    /// The present run of the server.
    pub async fn run(&self) -> Result<Run, Error> {
        let info: String = self.redis.commands.info(Some(InfoKind::Server)).await?;
        let id = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default();
        Ok(Run(id.trim().to_owned()))
    }

    /// Whether this run has been told of all endings.
    pub async fn are_complete(&self) -> Result<bool, Error> {
        let told: Option<String> = self.redis.commands.get(self.redis.key(COMPLETE)).await?;
        // In this order: a server that starts anew in between is another run than was told.
        let Run(present) = self.run().await?;
        Ok(told.is_some_and(|told| told == present && !present.is_empty()))
    }

    /// This run has been told of all endings.
    pub async fn mark_complete(&self, Run(run): Run) -> Result<(), Error> {
        self.redis.commands.set::<(), _, _>(self.redis.key(COMPLETE), run, None, None, false).await?;
        Ok(())
    }

    /// Tells each time that Redis has come back after it was away: it may have forgotten the latest endings.
    #[must_use]
    pub fn returns(&self) -> crate::Returns {
        self.redis.returns()
    }

    /// Tells each time that the connection is lost, which is before anything is asked over the next.
    #[must_use]
    pub fn losses(&self) -> crate::Losses {
        self.redis.losses()
    }

    fn key(&self, id: SessionId) -> String {
        self.redis.key(&format!("session:{id}"))
    }
}
