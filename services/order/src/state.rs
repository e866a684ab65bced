//! What every handler works with.

use std::sync::Arc;

use ecommerce_courier::Outgoing;
use ecommerce_http::client::Peer;
use ecommerce_postgres::{Batching, Pool};
use ecommerce_types::Clock;

use crate::store::Placement;

/// The service's stores and settings. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) product: Peer,
    pub(crate) time_to_pay: time::Duration,
    /// Orders that come together are placed together; answers whether the key was free.
    pub(crate) placing: Batching<Arc<Placement>, bool>,
    /// Takes the events of each commit.
    pub(crate) outgoing: Outgoing,
}
