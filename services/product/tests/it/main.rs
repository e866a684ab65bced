//! The product service on real stores, through its own ports.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod consumer;
mod health;
mod internal;
mod old_tables;
mod openapi;
mod products;
mod shop;
mod statements;
