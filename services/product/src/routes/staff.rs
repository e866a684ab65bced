//! Who may change the catalogue.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ecommerce_http::{Caller, Problem};
use ecommerce_types::Role;

/// A person who is staff. The first extractor of a handler, so that nobody else learns what is wrong with a body.
#[derive(Debug, Clone)]
pub(super) struct Staff(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require(Role::Staff)?;
        Ok(Self(caller))
    }
}
