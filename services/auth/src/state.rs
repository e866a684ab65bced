//! What every handler works with.

use ecommerce_redis::{Redis, Sessions};
use ecommerce_runtime::Notifier;
use ecommerce_token::Signer;
use ecommerce_types::Clock;
use sqlx::PgPool;

use crate::BuildError;
use crate::config::Config;
use crate::domain::Policy;
use crate::hashing::Hashing;

/// The service's stores and settings. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: PgPool,
    pub(crate) sessions: Sessions,
    pub(crate) hashing: Hashing,
    pub(crate) signer: Signer,
    pub(crate) policy: Policy,
    pub(crate) token: ecommerce_token::Settings,
    pub(crate) session_lifetime: time::Duration,
    pub(crate) clock: Clock,
    /// Notified when an ending was not published.
    pub(crate) unpublished: Notifier,
}

impl State {
    /// Reads the signing key, and connects to stores that may be away.
    pub(crate) async fn new(config: Config, clock: Clock) -> Result<Self, BuildError> {
        let pem = std::fs::read_to_string(&config.signing_key_file);
        let pem = pem.map_err(|source| BuildError::SigningKeyFile(config.signing_key_file.clone(), source))?;
        Ok(Self {
            pool: ecommerce_postgres::connect(&config.postgres, "auth")?,
            sessions: Sessions::new(Redis::connect(&config.redis).await?),
            hashing: Hashing::new(config.password_threads.get())?,
            signer: Signer::from_pkcs8_pem(&pem)?,
            session_lifetime: config.session_lifetime(),
            policy: Policy::new(&config.token.token_audience),
            token: config.token,
            clock,
            unpublished: Notifier::new(),
        })
    }
}
