//! Auth through its real router, on a real PostgreSQL and a real Redis, each behind a wire that a test can cut.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod bad_requests;
mod delete_me;
mod door;
mod felt_at_the_door;
mod first_admin;
mod health;
mod housekeeping;
mod jwks;
mod keys;
mod login;
mod logout;
mod mail;
mod me;
mod old_tables;
mod openapi;
mod password;
mod redis_away;
mod refresh;
mod register;
mod sessions;
mod shop;
mod statements;
mod throttle;
mod users;
