//! Every metric of every process.

use ecommerce_runtime::metrics::Metric;

use crate::table::{code, table};

const HEAD: &str = "# Metrics

Made by `make generate` from the code. Every process shows its own at `/metrics` of its operations port (9090), for
Prometheus. Names follow OpenTelemetry's conventions where there is one; the project's own begin with `ecommerce_`. The
values of a label come from a closed set: a client cannot make a series. Bounds of histograms are in seconds.
";

type Metrics = &'static [&'static dyn Metric];

const SECTIONS: [(&str, &str, &[Metrics]); 8] = [
    ("Every process", "", &[ecommerce_runtime::metrics::METRICS, ecommerce_http::metrics::METRICS]),
    ("product, order and payment", "What goes through RabbitMQ.", &[ecommerce_courier::metrics::METRICS]),
    ("auth", "", &[auth::METRICS]),
    ("gateway", "", &[gateway::METRICS]),
    ("product", "", &[product::METRICS, ecommerce_redis::metrics::METRICS]),
    ("order", "", &[order::METRICS]),
    ("payment", "", &[payment::METRICS]),
    ("operator", "", &[operator::metrics::METRICS]),
];

pub(crate) fn page() -> String {
    HEAD.to_owned() + &SECTIONS.map(|(title, sentence, metrics)| section(title, sentence, metrics)).concat()
}

fn section(title: &str, sentence: &str, metrics: &[Metrics]) -> String {
    let mut described: Vec<_> = metrics.iter().copied().flatten().map(|metric| metric.describe()).collect();
    described.sort_unstable();
    let rows = described.into_iter().map(|metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| code(label)).collect();
        [code(metric.name), metric.kind.to_owned(), labels.join(", "), metric.help.to_owned()]
    });
    let sentence = if sentence.is_empty() { String::new() } else { format!("{sentence}\n\n") };
    format!("\n## {title}\n\n{sentence}{}", table(["Metric", "Kind", "Labels", "Meaning"], rows))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// A metric that is in no list is never scraped.
    #[test]
    fn every_metric_that_is_declared_is_in_a_list() {
        let mut declared: Vec<String> = sources().iter().flat_map(|source| names(source)).collect();
        let mut listed: Vec<String> = SECTIONS
            .iter()
            .flat_map(|(_, _, metrics)| metrics.iter().copied().flatten())
            .map(|metric| metric.describe().name.to_owned())
            .collect();
        declared.sort();
        listed.sort();
        assert_eq!(declared, listed);
    }

    /// Each file `src/metrics.rs` of the workspace.
    fn sources() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folders = ["crates", "services"].map(|group| fs::read_dir(root.join(group)).unwrap());
        let packages = folders.into_iter().flatten().map(|entry| entry.unwrap().path()).chain([root.join("operator")]);
        let others = packages.filter(|package| !package.ends_with("reference"));
        others.filter_map(|package| fs::read_to_string(package.join("src/metrics.rs")).ok()).collect()
    }

    /// The first text of each static of a metric's type.
    fn names(source: &str) -> Vec<String> {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let statics = code.split("static ").skip(1);
        let metrics = statics.filter(|rest| {
            let kind = rest.split([':', '<']).nth(1).unwrap_or_default().trim();
            ["Counter", "Gauge", "Histogram"].contains(&kind)
        });
        metrics.filter_map(|rest| rest.split('"').nth(1)).map(str::to_owned).collect()
    }
}
