//! What a service measures of its cache.

use ecommerce_runtime::metrics::{Counter, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[&CACHE_LOOKUPS];

pub(crate) static CACHE_LOOKUPS: Counter<2> = Counter::new(
    "ecommerce_cache_lookups_total",
    "Look-ups by cache and outcome: hit, miss, changed of late, malformed, or Redis away.",
    ["cache", "outcome"],
);
