//! What every handler works with.

use ecommerce_contract::catalogue::Orderable;
use ecommerce_postgres::{Batching, Pool};
use ecommerce_types::Clock;
use uuid::Uuid;

use crate::catalogue::Catalogue;

/// The service's stores. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) catalogue: Catalogue,
    /// Prices that are asked for together are read together.
    pub(crate) pricing: Batching<Vec<Uuid>, Vec<Orderable>>,
}
