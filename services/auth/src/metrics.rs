//! What auth measures of its own.

use ecommerce_runtime::metrics::{Counter, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[&LOGINS, &REGISTRATIONS, &REFRESHES, &PASSWORD_HASHES, &LINKS];

pub(crate) static LOGINS: Counter<1> =
    Counter::new("ecommerce_logins_total", "Logins by outcome: accepted, refused or throttled.", ["outcome"]);

pub(crate) static REGISTRATIONS: Counter<0> =
    Counter::new("ecommerce_registrations_total", "Customers who registered.", []);

pub(crate) static REFRESHES: Counter<1> = Counter::new(
    "ecommerce_refreshes_total",
    "Refresh tokens by what became of them: rotated, repeated (the same successor once more), refused, or reused (the session has ended for it).",
    ["outcome"],
);

pub(crate) static PASSWORD_HASHES: Counter<0> =
    Counter::new("ecommerce_password_hashes_total", "Passwords that were hashed, each for tens of milliseconds.", []);

pub(crate) static LINKS: Counter<1> = Counter::new(
    "ecommerce_password_links_total",
    "Links to set a password that were to be sent, by outcome: sent, delayed (tried again) or refused.",
    ["outcome"],
);
