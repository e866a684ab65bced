//! The payment service on a real PostgreSQL and a real RabbitMQ, through its real router.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod api_keys;
mod backlog;
mod captured_late;
mod crash;
mod dump;
mod health;
mod ledgers;
mod messages;
mod old_tables;
mod openapi;
mod payments;
mod retention;
mod shop;
mod statements;
