//! What product measures of its own.

use ecommerce_runtime::metrics::{Gauge, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[&RESERVATIONS_PAST_DEADLINE];

pub(crate) static RESERVATIONS_PAST_DEADLINE: Gauge<0> = Gauge::new(
    "ecommerce_reservations_past_deadline",
    "Reservations that still hold their pieces more than a minute after their order's payment deadline, as of the last look; 0 in a healthy shop. Not counted beyond 10,000.",
    [],
);
