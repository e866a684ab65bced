//! What the operator measures of its own.

use ecommerce_runtime::metrics::{Counter, Histogram, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[&RECONCILES, &RECONCILE_DURATION];

pub(crate) static RECONCILES: Counter<1> =
    Counter::new("ecommerce_reconciles_total", "Reconciles of stacks by outcome: ok or error.", ["outcome"]);

pub(crate) static RECONCILE_DURATION: Histogram<0> =
    Histogram::new("ecommerce_reconcile_duration_seconds", "How long reconciles took.", []);
