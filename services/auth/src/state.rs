//! What every handler works with.

use ecommerce_mail::Mailer;
use ecommerce_postgres::Pool;
use ecommerce_redis::{Redis, Sessions};
use ecommerce_types::Clock;

use crate::BuildError;
use crate::config::{Config, Registration};
use crate::domain::Policy;
use crate::hashing::Hashing;
use crate::keys::Keys;
use crate::links::{Links, ResetUrl};
use crate::session_changes::SessionChanges;
use crate::throttle::Throttle;

/// The service's stores and settings. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: Pool,
    pub(crate) redis: Redis,
    pub(crate) sessions: Sessions,
    pub(crate) session_changes: SessionChanges,
    pub(crate) hashing: Hashing,
    pub(crate) throttle: Throttle,
    pub(crate) keys: Keys,
    pub(crate) policy: Policy,
    pub(crate) token: ecommerce_token::Settings,
    pub(crate) session_lifetime: time::Duration,
    /// Sends links to set a password, where the shop sends mail.
    pub(crate) links: Option<Links>,
    pub(crate) reset_url: Option<ResetUrl>,
    pub(crate) registration: Registration,
    pub(crate) clock: Clock,
}

impl State {
    /// Reads the keys, and connects to stores that may be away.
    pub(crate) async fn new(config: Config, clock: Clock) -> Result<Self, BuildError> {
        let pool = Pool::new(&config.postgres, "auth")?;
        let redis = Redis::connect(&config.redis).await?;
        let sessions = Sessions::new(redis.clone());
        let links = match (Mailer::new(&config.mail, clock.clone())?, config.password_reset_url.clone()) {
            (Some(mailer), Some(url)) => Some(Links::new(pool.clone(), mailer, url, clock.clone())),
            (Some(_), None) => return Err(BuildError::NoResetUrl),
            (None, _) => None,
        };
        Ok(Self {
            session_changes: SessionChanges::new(pool.clone(), sessions.clone(), clock.clone()),
            pool,
            redis,
            sessions,
            hashing: Hashing::new(config.password_threads.get())?,
            throttle: Throttle::new(clock.clone()),
            session_lifetime: config.session_lifetime(),
            keys: Keys::read(config.keys, clock.clone())?,
            policy: Policy::new(&config.token.token_audience),
            token: config.token,
            links,
            reset_url: config.password_reset_url,
            registration: config.registration,
            clock,
        })
    }
}
