//! Redis of a test's own that outlives its leader: two servers, and three sentinels that agree on which of them leads.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::authority::Certificate;
use crate::rabbitmq::free_ports;
use crate::redis::{Encryption, Server};
use crate::{eventually, unique_name};

/// What sentinels call the pair.
const NAME: &str = "shop";

/// Ended when this is dropped.
#[derive(Debug)]
pub struct Sentinels {
    /// Which leads, the other follows.
    servers: [Server; 2],
    leader: usize,
    watchers: [(SocketAddr, Child); 3],
    encryption: Option<Encryption>,
    directory: PathBuf,
}

impl Sentinels {
    /// In clear.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not answer.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// All five of them by TLS alone, with this certificate, which has to be one for `127.0.0.1`: that is how sentinels know servers.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn encrypted(certificate: &Certificate, ca_file: &Path) -> Self {
        Self::start_with(Some(Encryption::new(certificate, ca_file))).await
    }

    async fn start_with(encryption: Option<Encryption>) -> Self {
        let directory = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&directory).expect("make a directory");
        let leader = Server::with_encryption(encryption.clone()).await;
        let follower = Server::with_encryption(encryption.clone()).await;
        follower.follow(&leader).await;
        let watchers = free_ports::<3>().map(|port| {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            (address, sentinel(address, leader.address(), encryption.as_ref(), &directory))
        });
        let watched = Self { servers: [leader, follower], leader: 0, watchers, encryption, directory };
        watched.agreed().await;
        watched
    }

    /// The address of the pair, as its sentinels know it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.encryption.is_some() { "rediss-sentinel" } else { "redis-sentinel" };
        let [(first, _), (second, _), (third, _)] = &self.watchers;
        format!("{scheme}://{first}/0?sentinelServiceName={NAME}&node={second}&node={third}")
    }

    /// Kills the one that leads, as a node that fails does, and does not wait until another does.
    pub fn kill_leader(&mut self) {
        self.servers[self.leader].kill();
        self.leader = 1 - self.leader;
    }

    /// All three know of one another and of the follower, which has what the leader has.
    async fn agreed(&self) {
        for (address, _) in &self.watchers {
            eventually("sentinels agree", || async {
                let told = ask(*address, self.encryption.as_ref(), &["SENTINEL", "MASTER", NAME]).await?;
                let is = |field: &str, value: &str| told.windows(2).any(|pair| pair[0] == field && pair[1] == value);
                (is("num-slaves", "1") && is("num-other-sentinels", "2") && is("flags", "master")).then_some(())
            })
            .await;
        }
        eventually("the follower has followed", || async {
            let told = ask(self.servers[1].address(), self.encryption.as_ref(), &["INFO", "replication"]).await?;
            told.iter().any(|line| line == "master_link_status:up").then_some(())
        })
        .await;
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        for (_, process) in &mut self.watchers {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn sentinel(address: SocketAddr, leader: SocketAddr, encryption: Option<&Encryption>, directory: &Path) -> Child {
    let directory = directory.join(address.port().to_string());
    std::fs::create_dir(&directory).expect("make a directory");
    let mut configuration = format!("bind {}\ndir {}\n", address.ip(), directory.display());
    match encryption {
        None => {
            let _ = writeln!(configuration, "port {}", address.port());
        }
        Some(encryption) => {
            let _ = writeln!(configuration, "port 0\ntls-port {}", address.port());
            for (key, value) in encryption.settings() {
                let _ = writeln!(configuration, "{key} {value}");
            }
        }
    }
    // A leader is given up after half a second, by two of three.
    let _ = write!(
        configuration,
        "sentinel monitor {NAME} {} {} 2\nsentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 3000\n",
        leader.ip(),
        leader.port()
    );
    let file = directory.join("sentinel.conf");
    std::fs::write(&file, configuration).expect("write its configuration");
    let process = Command::new("redis-server").arg(file).arg("--sentinel").stdout(Stdio::null()).spawn();
    process.unwrap_or_else(|error| panic!("no redis-server, `local/stores start` installs it: {error}"))
}

/// What `redis-cli` prints, line by line; nothing while nobody answers.
pub(crate) async fn ask(address: SocketAddr, encryption: Option<&Encryption>, words: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new("redis-cli");
    command.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
    if let Some(encryption) = encryption {
        command.arg("--tls").arg("--cacert").arg(encryption.ca_file());
    }
    command.args(words);
    let answer = tokio::task::spawn_blocking(move || command.output()).await.ok()?.ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    answer.status.success().then(|| text.lines().map(|line| line.trim_end().to_owned()).collect())
}
