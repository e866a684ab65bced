//! The auth service's process.

use std::error::Error;
use std::process::ExitCode;

use auth::{App, Config};
use clap::Parser;
use ecommerce_postgres::migration;
use ecommerce_runtime::settings::Logs;
use ecommerce_runtime::{Shutdown, arguments, exit, telemetry};
use ecommerce_types::Clock;

/// Users, their logins and their sessions.
#[derive(Debug, Parser)]
#[command(version)]
enum Command {
    /// Serve until SIGTERM; this is what happens without a subcommand.
    Serve(Box<Config>),
    /// Bring the database up to date.
    Migrate {
        #[command(flatten)]
        database: migration::Settings,
        #[command(flatten)]
        logs: Logs,
    },
    /// Print the OpenAPI document.
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
        Command::Migrate { database, logs } => {
            telemetry::start(&logs)?;
            let migrations = migration::run(&database, auth::migrations()).await?;
            tracing::info!(migrations, "the database is up to date");
        }
        #[expect(clippy::print_stdout, reason = "the document is this command's output")]
        Command::Openapi => println!("{}", auth::openapi().to_pretty_json()?),
    }
    Ok(())
}
