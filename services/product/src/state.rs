//! What every handler works with.

use ecommerce_postgres::Pool;
use ecommerce_types::Clock;

use crate::catalogue::Catalogue;

/// The service's stores. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) catalogue: Catalogue,
}
