//! Auth through its real router, on a real PostgreSQL and a real Redis, each behind a wire that a test can cut.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod bad_requests;
mod first_admin;
mod housekeeping;
mod jwks;
mod keys;
mod login;
mod logout;
mod me;
mod openapi;
mod redis_away;
mod register;
mod shop;
