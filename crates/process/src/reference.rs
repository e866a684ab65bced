//! What a service can be told and what it measures, as tables for `docs/reference/`.

use std::collections::BTreeSet;

use clap::{Arg, Command};
use ecommerce_runtime::metrics::Metric;

/// Every setting of a command: its variable, what it means, what holds when it is absent.
pub(crate) fn configuration(command: &Command) -> String {
    let rows = command.get_arguments().filter_map(|argument| {
        let variable = argument.get_env()?.to_string_lossy();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        Some(format!("| `{variable}` | {} | {} |", one_line(&help), absent(argument)))
    });
    table("| Variable | Meaning | Absent |\n| --- | --- | --- |", rows)
}

fn absent(argument: &Arg) -> String {
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    match (defaults.is_empty(), argument.is_required_set()) {
        (false, _) => format!("`{}`", defaults.join(" ")),
        (true, true) => "required".to_owned(),
        (true, false) => "–".to_owned(),
    }
}

/// Every metric: its name, its kind, its labels, what it counts.
pub(crate) fn metrics(metrics: Vec<&'static dyn Metric>) -> String {
    let described: BTreeSet<_> = metrics.into_iter().map(Metric::describe).collect();
    let rows = described.into_iter().map(|metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {} | {} | {} |", metric.name, metric.kind, labels.join(", "), metric.help)
    });
    table("| Metric | Kind | Labels | Meaning |\n| --- | --- | --- | --- |", rows)
}

fn table(head: &str, rows: impl Iterator<Item = String>) -> String {
    std::iter::once(head.to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
