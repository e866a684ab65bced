//! The gateway's process.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ecommerce_runtime::{Shutdown, arguments, exit, telemetry};
use ecommerce_types::Clock;
use gateway::{App, Config, openapi};

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
async fn main() -> ExitCode {
    exit::code(run(Command::parse_from(arguments::or_serve())).await)
}

async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Serve(config) => {
            let metrics = telemetry::start(&config.logs)?;
            let shutdown = Shutdown::new();
            shutdown.on_signal(config.drain)?;
            App::build(*config, Clock::system(), metrics, shutdown).await?.run().await?;
        }
        #[expect(clippy::print_stdout, reason = "the document is this command's output")]
        Command::Openapi => println!("{:#}", openapi::own()),
    }
    Ok(())
}
