//! The order service on a real PostgreSQL and a real RabbitMQ, through its real router.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod dump;
mod growth;
mod health;
mod messages;
mod old_tables;
mod openapi;
mod orders;
mod payment_deadline;
mod repeat;
mod shop;
mod silence;
mod statements;
