//! Metrics: counters, gauges and histograms that are statics of the crate that measures them, and the text that Prometheus
//! reads.
//!
//! A metric holds a fixed number of atomics for each set of label values, however often it is recorded and whether or not
//! anybody reads it. Label values come from closed sets: one that a client could choose would be memory that a client
//! could take.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use parking_lot::Mutex;
use prometheus_client::encoding::{EncodeMetric, prometheus_text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::{counter, gauge, histogram};
use prometheus_client::registry::Registry;

/// The form of what [`render`] gives.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Upper bounds in seconds: from a cache's answer to a request that has failed.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

/// What this crate measures.
pub static METRICS: &[&dyn Metric] = &[&LOG_LINES_DROPPED];

/// Lines that the log's reader was too slow for.
pub static LOG_LINES_DROPPED: Counter<0> = Counter::new(
    "ecommerce_log_lines_dropped_total",
    "Log lines that were dropped because their reader was too slow.",
    [],
);

/// The values of a metric's labels, each beside its label's name.
type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// What a metric is, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Description {
    /// Its name, as Prometheus shows it.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it counts, in a sentence.
    pub help: &'static str,
}

/// A metric that is declared as a static.
pub trait Metric: Sync {
    /// What it is.
    fn describe(&'static self) -> Description;
    /// Shows it from now on; one without labels shows at once, as zero.
    fn register(&'static self);
}

/// Everything that is registered, as Prometheus reads it.
#[must_use]
pub fn render() -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = prometheus_text::encode(&mut text, &REGISTRY.lock());
    text
}

/// Name, labels and meaning, with the family of series once there is one.
struct Declared<const N: usize, M, C = fn() -> M> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    family: OnceLock<Family<Labels<N>, M, C>>,
}

impl<const N: usize, M, C> Declared<N, M, C>
where
    Family<Labels<N>, M, C>: EncodeMetric + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    const fn new(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self { name, help, labels, family: OnceLock::new() }
    }

    fn family(&self, make: impl FnOnce() -> Family<Labels<N>, M, C>) -> &Family<Labels<N>, M, C> {
        self.family.get_or_init(|| {
            let family = make();
            // The library puts the ending of a counter and the full stop of a sentence there itself.
            let (name, help) = (self.name.trim_end_matches("_total"), self.help.trim_end_matches('.'));
            REGISTRY.lock().register(name, help, family.clone());
            family
        })
    }

    fn label(&self, values: [Cow<'static, str>; N]) -> Labels<N> {
        let mut names = self.labels.iter();
        values.map(|value| (*names.next().unwrap_or(&""), value))
    }

    fn describe(&'static self, kind: &'static str) -> Description {
        Description { name: self.name, kind, labels: &self.labels, help: self.help }
    }
}

/// A number that only grows.
pub struct Counter<const N: usize>(Declared<N, counter::Counter>);

impl<const N: usize> Counter<N> {
    /// A counter whose name ends in `_total`.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self(Declared::new(name, help, labels))
    }

    /// Counts one under these label values.
    pub fn increment(&self, values: [&'static str; N]) {
        self.add(values, 1);
    }

    /// Counts several under these label values.
    pub fn add(&self, values: [&'static str; N], by: u64) {
        self.family().get_or_create(&self.0.label(values.map(Cow::Borrowed))).inc_by(by);
    }

    fn family(&self) -> &Family<Labels<N>, counter::Counter> {
        self.0.family(Family::default)
    }
}

impl<const N: usize> Metric for Counter<N> {
    fn describe(&'static self) -> Description {
        self.0.describe("counter")
    }

    fn register(&'static self) {
        let family = self.family();
        if N == 0 {
            drop(family.get_or_create(&self.0.label([const { Cow::Borrowed("") }; N])));
        }
    }
}

/// A number that rises and falls.
pub struct Gauge<const N: usize>(Declared<N, gauge::Gauge>);

impl<const N: usize> Gauge<N> {
    /// A gauge.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self(Declared::new(name, help, labels))
    }

    /// Sets it under these label values.
    pub fn set(&self, values: [&'static str; N], to: i64) {
        self.family().get_or_create(&self.0.label(values.map(Cow::Borrowed))).set(to);
    }

    /// Raises it, or lowers it by a negative number, under these label values.
    pub fn add(&self, values: [&'static str; N], by: i64) {
        self.family().get_or_create(&self.0.label(values.map(Cow::Borrowed))).inc_by(by);
    }

    fn family(&self) -> &Family<Labels<N>, gauge::Gauge> {
        self.0.family(Family::default)
    }
}

impl<const N: usize> Metric for Gauge<N> {
    fn describe(&'static self) -> Description {
        self.0.describe("gauge")
    }

    fn register(&'static self) {
        self.family();
    }
}

/// How long something took, in seconds.
pub struct Histogram<const N: usize>(Declared<N, histogram::Histogram>);

/// One series of a [`Histogram`].
pub type Series = histogram::Histogram;

impl<const N: usize> Histogram<N> {
    /// A histogram whose name ends in `_seconds`.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self(Declared::new(name, help, labels))
    }

    /// The series with these label values, to be kept by whoever records often.
    pub fn series(&self, values: [Cow<'static, str>; N]) -> Series {
        let family = self.0.family(|| Family::new_with_constructor(|| histogram::Histogram::new(SECONDS)));
        family.get_or_create_owned(&self.0.label(values))
    }
}

impl<const N: usize> Metric for Histogram<N> {
    fn describe(&'static self) -> Description {
        self.0.describe("histogram")
    }

    fn register(&'static self) {
        self.0.family(|| Family::new_with_constructor(|| histogram::Histogram::new(SECONDS)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static EATEN: Counter<1> = Counter::new("test_apples_eaten_total", "Apples that were eaten.", ["colour"]);
    static LOST: Counter<0> = Counter::new("test_apples_lost_total", "Apples that were lost.", []);
    static CHEWED: Histogram<1> = Histogram::new("test_chewing_seconds", "How long an apple takes.", ["colour"]);

    #[test]
    fn what_is_recorded_is_rendered_under_the_name_that_was_declared() {
        EATEN.increment(["red"]);
        EATEN.add(["red"], 2);
        LOST.register();
        CHEWED.series([Cow::Borrowed("red")]).observe(0.02);
        let text = render();
        for line in [
            r#"test_apples_eaten_total{colour="red"} 3"#,
            "test_apples_lost_total 0",
            r#"test_chewing_seconds_bucket{colour="red",le="0.01"} 0"#,
            r#"test_chewing_seconds_bucket{colour="red",le="0.025"} 1"#,
            "# HELP test_apples_eaten_total Apples that were eaten.",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} in:\n{text}");
        }
    }

    #[test]
    fn a_histogram_keeps_no_sample_however_many_are_recorded_and_nobody_reads_them() {
        let series = CHEWED.series([Cow::Borrowed("green")]);
        let lines = || render().lines().filter(|line| line.contains(r#"colour="green""#)).count();
        let before = lines();
        for _ in 0..200_000 {
            series.observe(0.02);
        }
        assert_eq!(lines(), before);
        assert!(render().contains(r#"test_chewing_seconds_count{colour="green"} 200000"#));
    }
}
