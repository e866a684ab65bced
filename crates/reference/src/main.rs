//! Writes `docs/reference/` from the code: every setting, every metric, every field of the resource. `make generate` runs it.
//!
//! To add a process: its settings in `configuration.rs`, its metrics in `metrics.rs`.

mod configuration;
mod metrics;
mod resource;
mod table;

use std::error::Error;
use std::io::Write as _;

use clap::{Parser, ValueEnum};

/// Prints a page of the reference.
#[derive(Parser)]
struct Arguments {
    page: Page,
}

#[derive(Clone, Copy, ValueEnum)]
enum Page {
    Configuration,
    Metrics,
    Resource,
}

fn main() -> Result<(), Box<dyn Error>> {
    let page = match Arguments::parse().page {
        Page::Configuration => configuration::page(),
        Page::Metrics => metrics::page(),
        Page::Resource => resource::page()?,
    };
    Ok(std::io::stdout().write_all(page.as_bytes())?)
}
