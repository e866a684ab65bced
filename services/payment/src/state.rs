//! What every handler works with.

use crate::attempts::Attempts;

/// The service's stores and settings. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) attempts: Attempts,
}
