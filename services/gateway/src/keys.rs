//! The public keys of access tokens, as auth gives them.
//!
//! The gateway starts without them and asks until it has them. Then it asks now and again, and when a token names a key that
//! it does not know, since auth may have begun to sign with a new one.

use std::sync::{Arc, PoisonError, RwLock};

use ecommerce_contract::Service;
use ecommerce_runtime::Shutdown;
use ecommerce_runtime::exit::Chain;
use ecommerce_token::{Claims, Jwks, Rejected, Settings, Verifier};
use ecommerce_types::Clock;
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

use crate::Error;
use crate::services::Services;

/// Where auth keeps them (RFC 7517).
const PATH: &str = "/.well-known/jwks.json";
/// How old the keys may become; a key that auth has withdrawn is good for no longer.
const OLD: Duration = Duration::minutes(5);
/// How seldom strangers' tokens, which may name any key, make the gateway ask.
pub const SELDOM: Duration = Duration::seconds(10);
/// How often it is looked whether there is something to ask.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);

/// The keys. Clones are the same.
#[derive(Clone)]
pub struct Keys {
    services: Services,
    settings: Settings,
    clock: Clock,
    known: Arc<RwLock<Option<Known>>>,
    /// When auth was last asked; locked while it is, so that one asks for all.
    asked_at: Arc<Mutex<Option<OffsetDateTime>>>,
}

struct Known {
    verifier: Arc<Verifier>,
    since: OffsetDateTime,
}

impl Keys {
    /// No keys yet.
    #[must_use]
    pub fn new(services: Services, settings: Settings, clock: Clock) -> Self {
        Self { services, settings, clock, known: Arc::default(), asked_at: Arc::default() }
    }

    /// The claims of a token that is good now.
    pub async fn verify(&self, token: &str) -> Result<Claims, Error> {
        let first = self.verify_with_known(token)?;
        let outcome = if first == Err(Rejected::UnknownKey) {
            self.ask(SELDOM).await;
            self.verify_with_known(token)?
        } else {
            first
        };
        outcome.map_err(|rejected| match rejected {
            Rejected::Expired => Error::TokenExpired,
            Rejected::Malformed
            | Rejected::UnknownKey
            | Rejected::Forged
            | Rejected::Foreign
            | Rejected::NotYetValid => Error::TokenInvalid,
        })
    }

    /// Keeps the keys from becoming old.
    pub async fn follow(self, shutdown: Shutdown) {
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                () = shutdown.stopped() => return,
                _ = tick.tick() => {}
            }
            let since = self.known.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|known| known.since);
            if since.is_none_or(|since| self.clock.now() - since >= OLD) {
                self.ask(Duration::ZERO).await;
            }
        }
    }

    fn verify_with_known(&self, token: &str) -> Result<Result<Claims, Rejected>, Error> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let verifier = known.as_ref().map(|known| Arc::clone(&known.verifier)).ok_or(Error::KeysUnavailable)?;
        drop(known);
        Ok(verifier.verify(token, self.clock.now()))
    }

    /// Asks auth, unless it was asked within the last `pause`. When auth does not answer, the keys stay as they are.
    async fn ask(&self, pause: Duration) {
        let mut asked_at = self.asked_at.lock().await;
        let now = self.clock.now();
        if asked_at.is_some_and(|before| now - before < pause) {
            return;
        }
        *asked_at = Some(now);
        match self.services.document::<Jwks>(Service::Auth, PATH).await {
            Ok(jwks) => {
                let known = Known { verifier: Arc::new(Verifier::new(&jwks, &self.settings)), since: now };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
            }
            Err(error) => tracing::warn!(error = %Chain(&error), "unable to read the keys of access tokens"),
        }
    }
}
