//! The public keys of access tokens, as auth gives them.
//!
//! The gateway starts without them and asks until it has them. Then it asks now and again, and when a token names a key that
//! it does not know, since auth may have begun to sign with a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ecommerce_http::client::Peer;
use ecommerce_runtime::{ErrorChain, Shutdown, every};
use ecommerce_token::{Claims, Jwks, Rejected, Settings, Verifier};
use ecommerce_types::Clock;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::Error;

/// Where auth keeps them (RFC 7517).
const PATH: &str = "/.well-known/jwks.json";
/// How long auth may take to give them.
pub(crate) const ANSWER: Duration = Duration::from_secs(3);
/// How old the keys may become; a key that auth has withdrawn is good for no longer.
const OLD: Duration = Duration::from_mins(5);
/// How seldom strangers' tokens, which may name any key, make the gateway ask.
const SELDOM: Duration = Duration::from_secs(10);
/// How often it is looked whether there is something to ask.
const LOOK: Duration = Duration::from_secs(1);

/// The keys. Clones are the same.
#[derive(Clone)]
pub(crate) struct Keys(Arc<Shared>);

struct Shared {
    auth: Peer,
    settings: Settings,
    clock: Clock,
    known: RwLock<Option<Known>>,
    /// Rises with each change of the keys: what was verified under another number is to be verified again.
    epoch: AtomicU64,
    /// When auth was last asked; locked while it is, so that one asks for all.
    asked_at: Mutex<Option<Duration>>,
}

struct Known {
    jwks: Jwks,
    verifier: Arc<Verifier>,
    since: Duration,
}

impl Keys {
    pub(crate) fn new(auth: Peer, settings: Settings, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            auth,
            settings,
            clock,
            known: RwLock::default(),
            epoch: AtomicU64::new(0),
            asked_at: Mutex::default(),
        }))
    }

    /// Whether there are any.
    pub(crate) fn are_known(&self) -> bool {
        self.0.known.read().is_some()
    }

    /// The number of the present keys.
    pub(crate) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::Acquire)
    }

    /// The claims of a token that is good now.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims, Error> {
        let first = self.verify_with_known(token)?;
        let outcome = if first == Err(Rejected::UnknownKey) {
            self.ask(SELDOM).await;
            self.verify_with_known(token)?
        } else {
            first
        };
        outcome.map_err(|rejected| match rejected {
            Rejected::Expired => Error::TokenExpired,
            Rejected::Forged => Error::TokenForged,
            Rejected::Malformed | Rejected::UnknownKey | Rejected::Foreign | Rejected::NotYetValid => {
                Error::TokenInvalid
            }
        })
    }

    /// Keeps the keys from becoming old.
    pub(crate) async fn follow(self, shutdown: Shutdown) {
        every(LOOK, shutdown, || async {
            let since = self.0.known.read().as_ref().map(|known| known.since);
            if since.is_none_or(|since| self.0.clock.monotonic().saturating_sub(since) >= OLD) {
                self.ask(Duration::ZERO).await;
            }
        })
        .await;
    }

    fn verify_with_known(&self, token: &str) -> Result<Result<Claims, Rejected>, Error> {
        let verifier = self.0.known.read().as_ref().map(|known| Arc::clone(&known.verifier));
        Ok(verifier.ok_or(Error::KeysUnavailable)?.verify(token, self.0.clock.now()))
    }

    /// Asks auth, unless it was asked within the last `pause`. When auth does not answer, the keys stay as they are.
    async fn ask(&self, pause: Duration) {
        let mut asked_at = self.0.asked_at.lock().await;
        let now = self.0.clock.monotonic();
        if asked_at.is_some_and(|before| now.saturating_sub(before) < pause) {
            return;
        }
        *asked_at = Some(now);
        match self.0.auth.get::<Jwks>(PATH, &[]).await {
            Ok(jwks) => self.take(jwks, now),
            Err(error) => tracing::warn!(error = %ErrorChain(&error), "unable to read the keys of access tokens"),
        }
    }

    fn take(&self, jwks: Jwks, now: Duration) {
        if jwks.keys.is_empty() {
            tracing::error!("auth gives no keys of access tokens; those of before stand");
            return;
        }
        let verifier = Arc::new(Verifier::new(&jwks, &self.0.settings));
        let mut known = self.0.known.write();
        if known.as_ref().is_none_or(|known| known.jwks != jwks) {
            self.0.epoch.fetch_add(1, Ordering::AcqRel);
        }
        *known = Some(Known { jwks, verifier, since: now });
    }
}
