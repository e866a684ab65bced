//! What every process measures of its HTTP.

use ecommerce_runtime::metrics::{Counter, Gauge, Histogram, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] =
    &[&REQUEST_DURATION, &CONNECTIONS, &CONNECTIONS_CLOSED, &API_KEY_USES, &API_KEY_LAST_USE];

/// From a request's head to the end of its answer; the count is the number of requests.
pub(crate) static REQUEST_DURATION: Histogram<3> = Histogram::new(
    "http_server_request_duration_seconds",
    "How long requests took, from their head to the end of their answer.",
    ["http_request_method", "http_route", "http_response_status_code"],
);

pub(crate) static CONNECTIONS: Gauge<0> = Gauge::new("ecommerce_http_connections", "Connections that are open.", []);

pub(crate) static CONNECTIONS_CLOSED: Counter<1> = Counter::new(
    "ecommerce_http_connections_closed_total",
    "Connections that were closed for being too slow or idle, or to make room for a newer one, by reason.",
    ["reason"],
);

pub(crate) static API_KEY_USES: Counter<2> = Counter::new(
    "ecommerce_api_key_uses_total",
    "Requests by the caller whose key they came with, and by the key's generation.",
    ["caller", "generation"],
);

pub(crate) static API_KEY_LAST_USE: Gauge<2> = Gauge::new(
    "ecommerce_api_key_last_use_timestamp_seconds",
    "When a caller's key was last used, by generation: a previous one that nobody uses may go.",
    ["caller", "generation"],
);
