//! The product service's process.

use std::io::Write as _;

use clap::Parser;
use ecommerce_postgres::migration;
use ecommerce_runtime::{Shutdown, telemetry};
use ecommerce_types::Clock;
use product::{App, Config, migrations, routes};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The shop's products and their stock.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Answers requests; done when no command is named.
    Serve(Box<Config>),
    /// Brings the database up to date.
    Migrate(migration::Settings),
    /// Prints the OpenAPI document.
    Openapi,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.len() < 2 {
        arguments.push("serve".into());
    }
    let mut output = std::io::stdout();
    match Command::parse_from(arguments) {
        Command::Serve(config) => serve(*config).await,
        Command::Migrate(settings) => {
            let count = migration::run(&settings, migrations()).await?;
            Ok(writeln!(output, "the database is up to date with {count} migrations")?)
        }
        Command::Openapi => Ok(writeln!(output, "{}", routes::document().to_pretty_json()?)?),
    }
}

async fn serve(config: Config) -> Result<(), Failure> {
    let metrics = telemetry::start(&config.logs)?;
    let shutdown = Shutdown::new();
    shutdown.on_signal(config.drain)?;
    let app = App::build(config, metrics, Clock::system(), shutdown).await?;
    tracing::info!(http.address = %app.address, operations.address = %app.operations_address, "listening");
    Ok(app.run().await?)
}
