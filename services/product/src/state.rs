//! What every handler works with.

use ecommerce_types::Clock;
use sqlx::PgPool;

use crate::catalogue::Catalogue;

/// The service's stores. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) pool: PgPool,
    pub(crate) clock: Clock,
    pub(crate) catalogue: Catalogue,
}
