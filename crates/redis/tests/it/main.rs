//! Sessions and the cache on a real Redis, with a wire to it that a test can cut.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod cache;
mod passwords;
mod session;
mod takeover;
mod tls;

use std::time::Duration;

use ecommerce_redis::{Error, Redis, Session, Sessions, Settings};
use ecommerce_testing::{Link, redis};
use ecommerce_types::{Clock, SessionId, UserId};

/// A part of Redis of its own, behind a wire of its own.
struct Part {
    link: Link,
    prefix: String,
}

impl Part {
    async fn new() -> Self {
        Self { link: Link::to(&redis::url()).await, prefix: redis::prefix() }
    }

    async fn connect(&self) -> Redis {
        Redis::connect(&self.settings()).await.unwrap()
    }

    fn settings(&self) -> Settings {
        Settings { redis_prefix: self.prefix.clone(), ..at(self.link.url.as_str()) }
    }
}

/// Settings with which this Redis asks for no password.
fn at(url: &str) -> Settings {
    Settings { redis_url: url.into(), redis_password: None, redis_ca_file: None, redis_prefix: "shop:".to_owned() }
}

fn session() -> (SessionId, Session) {
    let clock = Clock::system();
    (SessionId::new(&clock), Session { user_id: UserId::new(&clock), roles_version: 3 })
}

/// Whether a session that is put there stands.
async fn stands(redis: &Redis, (id, session): (SessionId, Session)) -> Result<(), Error> {
    let sessions = Sessions::new(redis.clone());
    sessions.put(id, &session, Duration::from_mins(1)).await?;
    assert_eq!(sessions.get(id).await?, Some(session));
    Ok(())
}
