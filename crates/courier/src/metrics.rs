//! What a service measures of its messages.

use ecommerce_runtime::metrics::{Counter, Gauge, Histogram, Metric};

/// All of them.
pub static METRICS: &[&dyn Metric] = &[
    &OUTBOX_OLDEST,
    &EVENTS_PUBLISHED,
    &EVENTS_REFUSED,
    &EVENTS_HANDLED,
    &EVENT_AGE,
    &EVENTS_WAITING,
    &EVENTS_SET_ASIDE,
    &EVENTS_DEAD_LETTERED,
    &DEAD_LETTERS,
    &SESSIONS_LOST,
];

pub(crate) static OUTBOX_OLDEST: Gauge<0> = Gauge::new(
    "ecommerce_outbox_oldest_seconds",
    "Age of the oldest event that is committed and not sent, as of the last look for such; 0 where all are sent.",
    [],
);

pub(crate) static EVENTS_PUBLISHED: Counter<0> =
    Counter::new("ecommerce_events_published_total", "Events that the broker has put into a queue.", []);

pub(crate) static EVENTS_REFUSED: Counter<0> =
    Counter::new("ecommerce_events_refused_total", "Events that the broker did not take; they stay in the outbox.", []);

pub(crate) static EVENTS_HANDLED: Counter<1> =
    Counter::new("ecommerce_events_handled_total", "Events whose effect is committed, by type.", ["type"]);

pub(crate) static EVENT_AGE: Histogram<1> = Histogram::new(
    "ecommerce_event_age_seconds",
    "How long after an event was made its effect was committed by its reader, by type.",
    ["type"],
);

pub(crate) static EVENTS_WAITING: Gauge<1> = Gauge::new(
    "ecommerce_events_waiting",
    "Messages in hand that could not be handled for now and are tried again, by queue; 0 where all goes well.",
    ["queue"],
);

pub(crate) static EVENTS_SET_ASIDE: Counter<0> = Counter::new(
    "ecommerce_events_set_aside_total",
    "Messages that only a newer version can read; each waits for one, unacknowledged.",
    [],
);

pub(crate) static EVENTS_DEAD_LETTERED: Counter<0> =
    Counter::new("ecommerce_events_dead_lettered_total", "Messages that were given up, for a person to look at.", []);

pub(crate) static DEAD_LETTERS: Gauge<1> = Gauge::new(
    "ecommerce_dead_letters",
    "Messages that were given up and that nobody has looked after yet, by the queue that they came from, as of the last look.",
    ["queue"],
);

pub(crate) static SESSIONS_LOST: Counter<1> = Counter::new(
    "ecommerce_broker_sessions_lost_total",
    "Connections to the broker that were lost or not made, by what they are for.",
    ["connection"],
);
