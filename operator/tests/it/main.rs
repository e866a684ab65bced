//! The operator's tests: what is built, which rules the resource keeps, reconciles against a mocked API and against a real
//! one, and provisioning against a real PostgreSQL. One file a question.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod api_server;
mod bring_up;
mod certificates;
mod external;
mod fields;
mod fixtures;
mod leadership;
mod migrations;
mod mocked_api;
mod neighbours;
mod network;
mod objects;
mod passwords;
mod pods;
mod problems;
mod provision;
mod reconcile;
mod refusals;
mod rollouts;
mod rules;
mod running;
mod scripts;
mod secrets;
mod services;
mod silence;
mod store_forms;
mod stores_of_others;
mod story;
mod to_ready;
mod volumes;
mod walk;
mod watches;
mod way;
