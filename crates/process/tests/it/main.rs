//! The skeleton of a service on real stores, each behind a wire that a test can cut.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod readiness;
