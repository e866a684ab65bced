//! What payment measures of its own.

use ecommerce_runtime::metrics::{Counter, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] =
    &[&CHARGES_ENDED, &CHARGES_OF_UNKNOWN_OUTCOME, &REFUNDS_MADE, &REFUNDS_OF_UNKNOWN_OUTCOME];

pub(crate) static CHARGES_ENDED: Counter<1> =
    Counter::new("ecommerce_charges_ended_total", "Charges by outcome: captured, declined or abandoned.", ["outcome"]);

pub(crate) static CHARGES_OF_UNKNOWN_OUTCOME: Counter<0> = Counter::new(
    "ecommerce_charges_of_unknown_outcome_total",
    "Charges that the provider did not answer for; each is looked up.",
    [],
);

pub(crate) static REFUNDS_MADE: Counter<0> =
    Counter::new("ecommerce_refunds_made_total", "Refunds that the provider has made.", []);

pub(crate) static REFUNDS_OF_UNKNOWN_OUTCOME: Counter<0> = Counter::new(
    "ecommerce_refunds_of_unknown_outcome_total",
    "Refunds that the provider did not answer for; each is looked up.",
    [],
);
