//! The gateway's process.

use std::io::Write as _;

use clap::Parser;
use ecommerce_runtime::{Shutdown, telemetry};
use ecommerce_types::Clock;
use gateway::{App, Config, openapi};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The shop's one door.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Answers requests; done when no command is named.
    Serve(Box<Config>),
    /// Prints the gateway's own part of the OpenAPI document.
    Openapi,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.len() < 2 {
        arguments.push("serve".into());
    }
    match Command::parse_from(arguments) {
        Command::Serve(config) => serve(*config).await,
        Command::Openapi => Ok(writeln!(std::io::stdout(), "{:#}", openapi::own())?),
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
