//! Real stores for tests, a piece of each for every test: a database, a vhost, a prefix, keys of its own.
//!
//! The servers are those that `local/stores start` has started; the variables `TEST_…` name others. Nothing here pretends
//! to be a store. A test that finds no server fails and says which command starts one.
#![expect(clippy::expect_used, reason = "a test says what went wrong by panicking")]

pub mod authority;
pub mod breaking_link;
pub mod broker;
pub mod checked_sql;
pub mod client;
pub mod database;
pub mod document;
pub mod eventually;
pub mod keys;
pub mod link;
pub mod mail;
pub mod nginx;
pub mod postgres;
pub mod rabbitmq;
pub mod redis;
pub mod sentinels;
pub mod table_work;
pub mod tls_door;

pub use authority::Authority;
pub use breaking_link::{BreakingLink, Moment};
pub use broker::Broker;
pub use client::{Answer, Client};
pub use database::Database;
pub use eventually::{eventually, throughout, within};
pub use keys::Keys;
pub use link::Link;
pub use nginx::Nginx;
pub use postgres::Postgres;
pub use rabbitmq::RabbitMq;
pub use sentinels::Sentinels;
pub use table_work::TableWork;
pub use tls_door::{TlsDoor, by_tls};

use std::io::Write as _;

use ecommerce_types::Clock;

/// A password with every visible character of ASCII that is no letter, blanks around, a letter beyond ASCII, and what looks like
/// an escape and like a variable.
pub const ANY_PASSWORD: &str = " p@ss/w%41:rd+%2F \u{e9} !\"#$%&'()*+,-./0:;<=>?@[\\]^_`{|}~ \\n $(DATABASE_PASSWORD) $(AMQP_PASSWORD) $(REDIS_PASSWORD) $$ ";

/// A name that no other test has, fit for a database, a vhost and a prefix.
#[must_use]
pub fn unique_name() -> String {
    format!("test_{}", Clock::system().new_id().simple())
}

/// How often a thing is tried: the number that a claim is proven with where `PROVE` is set (`make prove`), else the one
/// that every run of the tests affords.
#[must_use]
pub fn scale(to_prove: usize, each_time: usize) -> usize {
    if std::env::var_os("PROVE").is_some() { to_prove } else { each_time }
}

/// Hands a figure over to whoever runs the tests.
pub fn figure(name: &str, value: impl std::fmt::Display) {
    // Straight to the handle: what a test prints with the macros is kept from whoever runs it.
    let _ = writeln!(std::io::stderr(), "figure: {name} = {value}");
}

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}
