//! From where somebody asks.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use ecommerce_http::ClientAddress;

use crate::domain::Client;

/// Characters of a client's own name that are kept.
const LONGEST_NAME: usize = 200;

/// The client's address, as the gateway says; `None` where it is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address(pub(super) Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Address(address) = Address::from_request_parts(parts, state).await?;
        let name = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let user_agent = name.map(|name| name.chars().take(LONGEST_NAME).collect());
        Ok(Self { address, user_agent })
    }
}
