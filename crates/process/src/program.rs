//! The command line of a service, and its way from `main` to its end.

use std::error::Error;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use ecommerce_http::metrics as http;
use ecommerce_postgres::migration;
use ecommerce_runtime::metrics::Metric;
use ecommerce_runtime::settings::Logs;
use ecommerce_runtime::{Shutdown, exit, metrics as runtime, telemetry};
use ecommerce_types::Clock;
use futures::future::LocalBoxFuture;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::{App, Host, Settings};

/// A service, as its `main` tells of it.
pub struct Program<Build> {
    /// The name of the binary.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// Puts it together, from its own settings.
    pub build: Build,
    /// What its database is to hold, where it has one.
    pub migrations: Option<Migrations>,
    /// Its part of the API's description, as JSON.
    pub openapi: fn() -> Result<String, serde_json::Error>,
    /// What it measures beside what every process does.
    pub metrics: Vec<&'static dyn Metric>,
    /// What a person does with it beside.
    pub tools: Vec<Tool>,
}

/// Something that a person does with a service's data, by a subcommand of its binary.
#[derive(Clone, Copy)]
pub struct Tool {
    /// The name of the subcommand.
    pub name: &'static str,
    /// Adds what it is for and what it has to be told.
    pub arguments: fn(Command) -> Command,
    /// Does it; answers what is printed.
    pub run: fn(ArgMatches) -> Use,
}

/// A tool in use.
pub type Use = LocalBoxFuture<'static, Result<String, Failure>>;

/// What a database is to hold before anyone is served from it.
#[derive(Clone, Copy)]
pub struct Migrations {
    /// Its tables.
    pub schema: fn() -> Migrator,
    /// Rows that are there from the start.
    pub seed: Option<Seed>,
}

/// Rows that are there from the start. Sown after each migration, so that it changes nothing where they are there.
#[derive(Clone, Copy)]
pub struct Seed {
    /// Adds what it has to be told to the command line.
    pub arguments: fn(Command) -> Command,
    /// Does it, as the owner of the tables.
    pub sow: fn(ArgMatches, PgConnection) -> Sowing,
}

/// A seed being sown; what comes of it is a notice for a person, or none.
pub type Sowing = LocalBoxFuture<'static, Result<Option<String>, Failure>>;

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
#[group(skip)] // the settings of a seed stand beside it
pub struct MigrationSettings {
    /// Which database, and as whom.
    #[command(flatten)]
    pub database: migration::Settings,
    /// The file that is told what a person has to know of a migration that went well.
    #[arg(long, env = "MIGRATION_NOTICE_FILE")]
    pub migration_notice_file: Option<PathBuf>,
    /// What it logs.
    #[command(flatten)]
    pub logs: Logs,
}

/// Why a command did not do what it is for.
pub type Failure = Box<dyn Error>;

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
        Some((MIGRATE, matches)) => migrate(matches, program.migrations),
        Some((OPENAPI, _)) => print(&(program.openapi)()?),
        Some((name, matches)) if let Some(tool) = program.tools.iter().find(|tool| tool.name == name) => {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            print(&runtime.block_on((tool.run)(matches.clone()))?)
        }
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
    let tools = program.tools.iter().map(|tool| (tool.arguments)(Command::new(tool.name)));
    let command = command.subcommands(tools);
    let Some(migrations) = program.migrations else { return command };
    let migrate = MigrationSettings::augment_args(Command::new(MIGRATE).about("Bring the database up to date"));
    command.subcommand(match migrations.seed {
        Some(seed) => (seed.arguments)(migrate),
        None => migrate,
    })
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
        tokio::spawn(telemetry::follow(shutdown.clone()));
        let host = Host::bind(&process, Clock::system(), shutdown)?;
        Ok((program.build)(service, host).await?.run().await?)
    })
}

fn migrate(matches: &ArgMatches, migrations: Option<Migrations>) -> Result<(), Failure> {
    let Some(migrations) = migrations else { return Ok(()) };
    let settings = MigrationSettings::from_arg_matches(matches)?;
    telemetry::start(&settings.logs)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let notice = runtime.block_on(async {
        let migrated = async {
            let connection = migration::run(&settings.database, (migrations.schema)()).await?;
            match migrations.seed {
                Some(seed) => (seed.sow)(matches.clone(), connection).await,
                None => Ok(None),
            }
        };
        // As the first process of a container it is not ended by a signal that nobody handles, and another may wait for its end.
        let mut ended = signal(SignalKind::terminate())?;
        tokio::select! {
            notice = migrated => notice,
            _ = ended.recv() => Err("told to end before the database was migrated: what had not been committed is not there".into()),
        }
    })?;
    tracing::info!("the database is up to date");
    match (notice, &settings.migration_notice_file) {
        (None, _) => {}
        (Some(notice), None) => tracing::warn!("{notice}"),
        // It may name somebody, and is for whoever looks at the file.
        (Some(notice), Some(file)) => {
            tracing::warn!(file = %file.display(), "left something for a person to do");
            std::fs::write(file, notice)?;
        }
    }
    Ok(())
}

fn print(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.write_all(b"\n")?;
    Ok(())
}
