//! What auth is told when it starts.

use std::num::NonZeroUsize;

use clap::ValueEnum;
use ecommerce_http::api_key;
use time::Duration;

use crate::keys;
use crate::links::ResetUrl;

/// Auth's settings, each a variable of the environment.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where the users are.
    #[command(flatten)]
    pub postgres: ecommerce_postgres::Settings,
    /// Where the sessions are, for the gateway.
    #[command(flatten)]
    pub redis: ecommerce_redis::Settings,
    /// Who may call.
    #[command(flatten)]
    pub api_keys: api_key::Settings,
    /// What its tokens say.
    #[command(flatten)]
    pub token: ecommerce_token::Settings,
    /// The keys of its tokens.
    #[command(flatten)]
    pub keys: keys::Settings,
    /// How it sends mail.
    #[command(flatten)]
    pub mail: ecommerce_mail::Settings,
    /// The page on which a password is set, such as `https://shop.example/reset?token={token}`; nothing is mailed when absent.
    #[arg(long, env = "PASSWORD_RESET_URL")]
    pub password_reset_url: Option<ResetUrl>,
    /// Who makes accounts.
    #[arg(long, env = "REGISTRATION", default_value = "open")]
    pub registration: Registration,
    /// How long a session stands that nobody ends; 30 days.
    #[arg(long, env = "SESSION_LIFETIME_SECONDS", default_value_t = 2_592_000, value_parser = clap::value_parser!(u32).range(60..))]
    pub session_lifetime_seconds: u32,
    /// How many passwords are hashed at once; each takes 19 MiB and a core.
    #[arg(long, env = "PASSWORD_THREADS", default_value = "2")]
    pub password_threads: NonZeroUsize,
}

/// Who makes accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Everybody makes their own.
    Open,
    /// Admins alone.
    Closed,
}

impl Config {
    /// How long a session stands that nobody ends.
    #[must_use]
    pub fn session_lifetime(&self) -> Duration {
        Duration::seconds(self.session_lifetime_seconds.into())
    }
}
