//! What every handler works with.

use ecommerce_courier::Outgoing;
use ecommerce_http::client::Peer;
use ecommerce_postgres::Pool;
use ecommerce_types::Clock;

/// The service's stores and settings. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) product: Peer,
    pub(crate) time_to_pay: time::Duration,
    /// Takes the events of each commit.
    pub(crate) outgoing: Outgoing,
}
