//! The operator's process: `run` reconciles, `crd` and `rules` print what the chart installs, `provision` is a Job of a stack.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ecommerce_http::health_and_metrics::HealthAndMetrics;
use ecommerce_http::server::{self, Ending, Limits, serve};
use ecommerce_runtime::settings::{Drain, Logs};
use ecommerce_runtime::{Shutdown, exit, telemetry};
use ecommerce_types::Clock;
use operator::health::Health;
use operator::settings::Settings;
use operator::{controller, crd, kinds, metrics, provision};
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(version, about = "Runs EcommerceStacks")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Parser)]
enum Command {
    /// Reconciles until it is told to stop.
    Run {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        logs: Logs,
    },
    /// Prints the definition of the resource.
    Crd,
    /// Prints the rules of the operator's `ClusterRole`.
    Rules,
    /// Makes a stack's databases and roles.
    Provision {
        #[command(flatten)]
        settings: provision::Settings,
        #[command(flatten)]
        logs: Logs,
    },
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    exit::code(run(command.unwrap_or_else(|| Command::parse_from(["operator", "run"]))).await)
}

async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Run { settings, logs } => reconcile(settings, &logs).await,
        Command::Crd => Ok(std::io::stdout().write_all(crd::yaml()?.as_bytes())?),
        Command::Rules => Ok(std::io::stdout().write_all(kinds::cluster_role_rules().as_bytes())?),
        Command::Provision { settings, logs } => {
            telemetry::start(&logs)?;
            Ok(provision::run(&settings, &Clock::system()).await?)
        }
    }
}

async fn reconcile(settings: Settings, logs: &Logs) -> Result<(), Box<dyn Error>> {
    telemetry::start(logs)?;
    for metric in metrics::METRICS {
        metric.register();
    }
    let shutdown = Shutdown::new();
    // Nothing is sent here by a Service, so nothing has to forget this pod first.
    shutdown.on_signal(Drain { drain_delay_seconds: 0, drain_idle_seconds: 0, drain_timeout_seconds: 10 })?;
    tokio::spawn(telemetry::follow(shutdown.clone()));
    let health = Arc::new(Health::new(Clock::system(), settings.resync(), settings.longest_backoff()));
    let alive = Arc::clone(&health);
    let second_port =
        HealthAndMetrics { alive: Arc::new(move || alive.is_alive()), ..HealthAndMetrics::new(shutdown.clone()) };
    let listener = TcpListener::bind(settings.operations_address).await?;
    let ending = Ending { idle: Duration::ZERO, requests: Duration::from_secs(1) };
    let limits = Limits::new(server::Settings::default(), None, None);
    let served = tokio::spawn(serve(listener, second_port.router(), limits, shutdown.clone(), ending));
    let mut config = kube::Config::infer().await?;
    // Each reconcile is tried again as a whole, with a pause that grows: one call in it must not wait by itself.
    config.default_retry = false;
    let client = kube::Client::try_from(config)?;
    controller::run(client, settings, health, shutdown.clone()).await?;
    shutdown.stop();
    served.await?;
    Ok(())
}
