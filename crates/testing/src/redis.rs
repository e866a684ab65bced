//! Redis for one test.

use crate::{unique_name, variable};

/// The server's address.
#[must_use]
pub fn url() -> String {
    variable("TEST_REDIS_URL", "redis://127.0.0.1:16379")
}

/// A prefix that no other test has.
#[must_use]
pub fn prefix() -> String {
    format!("{}:", unique_name())
}
