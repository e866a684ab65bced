//! What auth measures of its own.

use ecommerce_runtime::metrics::{Counter, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[&LOGINS, &REGISTRATIONS];

pub(crate) static LOGINS: Counter<1> =
    Counter::new("ecommerce_logins_total", "Logins by outcome: accepted or refused.", ["outcome"]);

pub(crate) static REGISTRATIONS: Counter<0> =
    Counter::new("ecommerce_registrations_total", "Customers who registered.", []);
