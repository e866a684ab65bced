//! What the gateway measures of its own.

use ecommerce_runtime::metrics::{Counter, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[&FORWARDS_FAILED, &FORWARDS_REPEATED, &SESSION_LOOKUPS, &TOKENS_VERIFIED];

pub(crate) static FORWARDS_FAILED: Counter<2> = Counter::new(
    "ecommerce_forwards_failed_total",
    "Requests that a service did not answer, by service and by what was at fault.",
    ["service", "fault"],
);

pub(crate) static FORWARDS_REPEATED: Counter<1> = Counter::new(
    "ecommerce_forwards_repeated_total",
    "Requests that were sent to a service once more after a connection had failed.",
    ["service"],
);

pub(crate) static SESSION_LOOKUPS: Counter<1> = Counter::new(
    "ecommerce_session_lookups_total",
    "Sessions that Redis was asked for, by outcome: answered, failed, or not_believed (Redis was away, and auth has not told it of all endings yet).",
    ["outcome"],
);

pub(crate) static TOKENS_VERIFIED: Counter<0> = Counter::new(
    "ecommerce_tokens_verified_total",
    "Access tokens whose signature was checked, because they had not been seen before.",
    [],
);
