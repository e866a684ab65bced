//! Redis as the services use it: sessions that stand or have ended, and a cache in front of a database.
//!
//! Here live the connection with its time limits, and the two things that are kept in Redis with the form of their keys and
//! values. What a session means and what is worth caching is not known here. To keep another thing: a file named for it, a
//! key under the prefix, and a line in the operator's access rules.

mod address;
pub mod cache;
pub mod connection;
pub mod metrics;
mod room;
pub mod session;
mod single_flight;

pub use address::InvalidSettings;
pub use cache::Cache;
pub use connection::{Error, Losses, Redis, Returns, Settings};
pub use session::{Session, Sessions};
