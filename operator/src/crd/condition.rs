//! The conditions of a stack's status, by name.

/// The stack serves.
pub const READY: &str = "Ready";
/// PostgreSQL, RabbitMQ and Redis answer.
pub const BACKENDS_READY: &str = "BackendsReady";
/// Every database is as the services need it.
pub const MIGRATED: &str = "Migrated";
/// Every service's pods serve.
pub const SERVICES_READY: &str = "ServicesReady";
/// Something needs a person.
pub const DEGRADED: &str = "Degraded";
