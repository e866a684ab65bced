//! The command line of a service, and its way from `main` to its end.

use std::error::Error;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::{Args, Command, FromArgMatches};
use ecommerce_http::metrics as http;
use ecommerce_postgres::migration;
use ecommerce_runtime::metrics::Metric;
use ecommerce_runtime::settings::Logs;
use ecommerce_runtime::{Shutdown, exit, metrics as runtime, telemetry};
use ecommerce_types::Clock;
use sqlx::migrate::Migrator;
use tokio::runtime::Builder;

use crate::{App, Host, Settings};

/// A service, as its `main` tells of it.
pub struct Program<Build> {
    /// The name of the binary.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// Puts it together, from its own settings.
    pub build: Build,
    /// Its schema, where it has a database.
    pub migrations: Option<fn() -> Migrator>,
    /// Its part of the API's description, as JSON.
    pub openapi: fn() -> Result<String, serde_json::Error>,
    /// What it measures beside what every process does.
    pub metrics: Vec<&'static dyn Metric>,
}

/// The settings of one service beside those of all.
#[derive(Debug, Args)]
struct Serve<Config: Args> {
    #[command(flatten)]
    process: Settings,
    #[command(flatten)]
    service: Config,
}

/// What a migration is told.
#[derive(Debug, Args)]
struct Migrate {
    #[command(flatten)]
    database: migration::Settings,
    #[command(flatten)]
    logs: Logs,
}

type Failure = Box<dyn Error>;

/// Runs a service as its command line says; without a subcommand it serves.
#[must_use]
pub fn main<Config, Fault, Build>(program: Program<Build>) -> ExitCode
where
    Config: Args + FromArgMatches,
    Fault: Error + 'static,
    Build: AsyncFnOnce(Config, Host) -> Result<App, Fault>,
{
    exit::code(run(program))
}

fn run<Config, Fault, Build>(program: Program<Build>) -> Result<(), Failure>
where
    Config: Args + FromArgMatches,
    Fault: Error + 'static,
    Build: AsyncFnOnce(Config, Host) -> Result<App, Fault>,
{
    let matches = command_line::<Config, _>(&program).get_matches_from(arguments());
    match matches.subcommand() {
        Some((MIGRATE, matches)) => migrate(&Migrate::from_arg_matches(matches)?, program.migrations),
        Some((OPENAPI, _)) => print(&(program.openapi)()?),
        Some((_, matches)) => serve(Serve::from_arg_matches(matches)?, program),
        None => Ok(()),
    }
}

const SERVE: &str = "serve";
const MIGRATE: &str = "migrate";
const OPENAPI: &str = "openapi";

fn command_line<Config: Args, Build>(program: &Program<Build>) -> Command {
    let command = Command::new(program.name)
        .about(program.about)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .subcommand(serving::<Config>())
        .subcommand(Command::new(OPENAPI).about("Print the description of its API"));
    if program.migrations.is_some() {
        command.subcommand(Migrate::augment_args(Command::new(MIGRATE).about("Bring the database up to date")))
    } else {
        command
    }
}

fn serving<Config: Args>() -> Command {
    Serve::<Config>::augment_args(Command::new(SERVE))
        .about("Serve until SIGTERM; this is what happens without a subcommand")
}

/// The process's arguments; a binary that is started without any serves.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.len() < 2 {
        arguments.push(SERVE.into());
    }
    arguments
}

fn serve<Config, Fault, Build>(settings: Serve<Config>, program: Program<Build>) -> Result<(), Failure>
where
    Config: Args,
    Fault: Error + 'static,
    Build: AsyncFnOnce(Config, Host) -> Result<App, Fault>,
{
    let Serve { process, service } = settings;
    telemetry::start(&process.logs)?;
    for metric in [runtime::METRICS, http::METRICS, &program.metrics].concat() {
        metric.register();
    }
    let threads = process.threads.count(available_parallelism()?.get());
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let shutdown = Shutdown::new();
        shutdown.on_signal(process.drain)?;
        let host = Host::bind(&process, Clock::system(), shutdown).await?;
        Ok((program.build)(service, host).await?.run().await?)
    })
}

fn migrate(settings: &Migrate, migrations: Option<fn() -> Migrator>) -> Result<(), Failure> {
    let Some(migrations) = migrations else { return Ok(()) };
    telemetry::start(&settings.logs)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let migrations = runtime.block_on(migration::run(&settings.database, migrations()))?;
    tracing::info!(migrations, "the database is up to date");
    Ok(())
}

fn print(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.write_all(b"\n")?;
    Ok(())
}
