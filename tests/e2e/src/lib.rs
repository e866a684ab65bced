//! What the tests against a cluster need: the cluster, and people who use its shop.
//!
//! `make up` brings the cluster; `local/test cluster` runs these tests against it. The tests know nothing but what a user
//! knows: the resource, the admin's Secret, and the gateway's address.
#![expect(clippy::expect_used, reason = "a test says what went wrong by panicking")]

pub mod cluster;
pub mod person;
pub mod probe;
pub mod tenant;

pub use person::{Answer, Person};
pub use probe::Probe;
pub use tenant::Tenant;

pub use ecommerce_testing::{throughout, within};
