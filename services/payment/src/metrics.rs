//! What payment measures of its own.

use ecommerce_runtime::metrics::{Counter, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[
    &CHARGES_CAPTURED_LATE,
    &CHARGES_ENDED,
    &CHARGES_OF_UNKNOWN_OUTCOME,
    &CHARGES_REFUSED,
    &REFUNDS_MADE,
    &REFUNDS_OF_UNKNOWN_OUTCOME,
];

pub(crate) static CHARGES_CAPTURED_LATE: Counter<0> = Counter::new(
    "ecommerce_charges_captured_late_total",
    "Charges that the provider has captured after it had promised never to make them; the money goes back.",
    [],
);

pub(crate) static CHARGES_ENDED: Counter<1> = Counter::new(
    "ecommerce_charges_ended_total",
    "Charges by outcome: captured, declined, abandoned, or withheld because the customer has had too many declined.",
    ["outcome"],
);

pub(crate) static CHARGES_OF_UNKNOWN_OUTCOME: Counter<0> = Counter::new(
    "ecommerce_charges_of_unknown_outcome_total",
    "Charges that the provider did not answer for; each is looked up.",
    [],
);

pub(crate) static CHARGES_REFUSED: Counter<0> = Counter::new(
    "ecommerce_charges_refused_total",
    "Requests to pay that were refused because the customer has had too many declined.",
    [],
);

pub(crate) static REFUNDS_MADE: Counter<0> =
    Counter::new("ecommerce_refunds_made_total", "Refunds that the provider has made.", []);

pub(crate) static REFUNDS_OF_UNKNOWN_OUTCOME: Counter<0> = Counter::new(
    "ecommerce_refunds_of_unknown_outcome_total",
    "Refunds that the provider did not answer for; each is looked up.",
    [],
);
