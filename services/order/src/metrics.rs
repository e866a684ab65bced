//! What order measures of its own.

use ecommerce_runtime::metrics::{Counter, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[&ORDERS_PLACED, &ORDERS_EXPIRED];

pub(crate) static ORDERS_PLACED: Counter<0> =
    Counter::new("ecommerce_orders_placed_total", "Orders that were placed.", []);

pub(crate) static ORDERS_EXPIRED: Counter<0> =
    Counter::new("ecommerce_orders_expired_total", "Orders that nobody paid in time.", []);
