//! Sessions and the cache on a real Redis, with a wire to it that a test can cut.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod cache;
mod passwords;
mod session;

use ecommerce_redis::{Redis, Settings};
use ecommerce_testing::{Link, redis};

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
        let redis_url = self.link.url.to_string().into();
        Settings { redis_url, redis_password: None, redis_prefix: self.prefix.clone() }
    }
}
