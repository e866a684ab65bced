//! Access tokens that were verified before: what they say is remembered, so that a signature is checked once and not for each
//! request.
//!
//! Only what verified is remembered, and only by all of its bytes. That a token is good now, that its keys still stand, that
//! its session does and what its roles are is judged on each request.

use std::sync::Arc;

use axum::http::HeaderValue;
use ecommerce_redis::{Session, Sessions};
use ecommerce_token::Claims;
use ecommerce_types::Clock;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::Error;
use crate::fence::Fence;
use crate::keys::Keys;
use crate::metrics::TOKENS_VERIFIED;
use crate::remembered_sessions::{RememberedSession, Unavailable};

/// Tokens that are remembered, each some 1.5 KiB; beyond them, the one that was used longest ago is forgotten.
const REMEMBERED: u64 = 10_000;

/// A token that verified, with what the services are told of it.
pub(crate) struct VerifiedToken {
    pub(crate) claims: Claims,
    pub(crate) user_id: HeaderValue,
    pub(crate) roles: HeaderValue,
    pub(crate) session_id: HeaderValue,
    /// Of the keys that it was verified with.
    epoch: u64,
    session: RememberedSession,
}

/// The tokens, and what it takes to verify another.
pub(crate) struct VerifiedTokens {
    known: Cache<Box<str>, Arc<VerifiedToken>>,
    keys: Keys,
    sessions: Sessions,
    fence: Fence,
    clock: Clock,
}

impl VerifiedTokens {
    pub(crate) fn new(keys: Keys, sessions: Sessions, fence: Fence, clock: Clock) -> Self {
        let known = Cache::builder().max_capacity(REMEMBERED).eviction_policy(EvictionPolicy::lru()).build();
        Self { known, keys, sessions, fence, clock }
    }

    /// A token that was verified before and is good now.
    pub(crate) fn get(&self, token: &str) -> Result<Option<Arc<VerifiedToken>>, Error> {
        let Some(known) = self.known.get(token) else { return Ok(None) };
        if known.epoch != self.keys.epoch() {
            self.known.invalidate(token);
            return Ok(None);
        }
        if !known.claims.is_good_at(self.clock.now()) {
            self.known.invalidate(token);
            return Err(Error::TokenExpired);
        }
        Ok(Some(known))
    }

    /// Verifies a token and remembers it.
    pub(crate) async fn verify(&self, token: &str) -> Result<Arc<VerifiedToken>, Error> {
        // Before the look: keys that change meanwhile make it worthless.
        let epoch = self.keys.epoch();
        TOKENS_VERIFIED.increment([]);
        let claims = self.keys.verify(token).await?;
        let value = |text: String| HeaderValue::from_str(&text).map_err(|_| Error::TokenInvalid);
        let verified = Arc::new(VerifiedToken {
            user_id: value(claims.sub.to_string())?,
            roles: value(claims.roles.to_string())?,
            session_id: value(claims.sid.to_string())?,
            claims,
            epoch,
            session: RememberedSession::default(),
        });
        self.known.insert(token.into(), Arc::clone(&verified));
        Ok(verified)
    }

    /// The session of a token; `None` when it has ended.
    pub(crate) async fn session_of(&self, token: &VerifiedToken) -> Result<Option<Session>, Unavailable> {
        token.session.get(token.claims.sid, &self.sessions, &self.fence, &self.clock).await
    }
}
