//! A service as a process of this machine, told what its container is told.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ecommerce_testing::within;
use tokio::process::{Child, Command};

use crate::Failure;
use crate::pod::{Mounted, Told, write};

/// How long a service may take until it is ready.
const START: Duration = Duration::from_mins(1);

/// Texts that stand for others: where something is in a cluster, and where it is here.
pub type Places = Vec<(String, String)>;

/// A process of a service.
#[derive(Debug)]
pub struct Process {
    /// Where it serves.
    pub http: SocketAddr,
    /// Where its health and its metrics are.
    pub operations: SocketAddr,
    child: Child,
}

impl Process {
    /// Starts one and waits until it is ready.
    pub async fn start(binary: &Path, told: &Told, places: &Places, folder: &Path) -> Result<Self, Failure> {
        let (http, operations) = (free_address()?, free_address()?);
        let mut command = command(binary, told, places, folder)?;
        command.env("HTTP_ADDRESS", http.to_string()).env("OPERATIONS_ADDRESS", operations.to_string());
        // No Service has to forget it first.
        command.env("DRAIN_DELAY_SECONDS", "0");
        let process = Self { http, operations, child: command.spawn()? };
        within(START, &format!("{} is ready", binary.display()), || async { process.is_ready().await.then_some(()) })
            .await;
        Ok(process)
    }

    /// Whether it says that it is ready.
    pub async fn is_ready(&self) -> bool {
        let answer = reqwest::get(format!("http://{}/readyz", self.operations)).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// The number that the system knows it by, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it at once, as a node that dies.
    pub async fn kill(&mut self) {
        let _ = self.child.kill().await;
    }
}

/// Runs something that ends, as a Job does.
pub async fn run(binary: &Path, told: &Told, places: &Places, folder: &Path) -> Result<(), Failure> {
    let status = command(binary, told, places, folder)?.status().await?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{} ended with {status}; its log is {}", binary.display(), log_of(folder).display()).into())
}

fn command(binary: &Path, told: &Told, places: &Places, folder: &Path) -> Result<Command, Failure> {
    std::fs::create_dir_all(folder)?;
    let mut places = places.clone();
    for (path, mounted) in &told.mounts {
        let here = folder.join(path.strip_prefix("/").unwrap_or(path));
        std::fs::create_dir_all(&here)?;
        if let Mounted::Files(files) = mounted {
            write(&here, files)?;
        }
        places.push((path.display().to_string(), here.display().to_string()));
    }
    let log = File::options().create(true).append(true).open(log_of(folder))?;
    let mut command = Command::new(binary);
    command.args(&told.arguments).env_clear().stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.kill_on_drop(true);
    for (name, value) in &told.environment {
        let here = places.iter().fold(value.clone(), |value, (there, here)| value.replace(there, here));
        command.env(name, here);
    }
    Ok(command)
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// An address of this machine that nobody listens at.
pub fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
