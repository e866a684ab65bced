//! The shop on loopback, for what a cluster is too slow or too far away for: benchmarks, faults, and work on a service.
//!
//! The stores are those of a stack, from its images and with the operator's own configuration, durable; the services are processes
//! of this machine. Both are made from the very objects that the operator applies ([`stack`], [`pod`]), so that nothing here says a
//! second time how a store is started or what a service is told. Before each service stands a [`balancer`], and each edge is a wire
//! that can be cut, clogged and slowed down.

pub mod balancer;
pub mod cost;
pub mod customers;
pub mod frontend;
pub mod orders;
pub mod past;
pub mod pod;
pub mod report;
pub mod reservations;
pub mod row_lock;
pub mod service;
pub mod shop;
pub mod stack;
pub mod store;

use std::time::Duration;

pub use shop::{Options, Shop};

/// Why the shop does not stand, for a person at a terminal.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Waits between two looks, or for what tells by itself when its time has come.
pub async fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "what is waited for gives no sign")]
    tokio::time::sleep(time).await;
}
