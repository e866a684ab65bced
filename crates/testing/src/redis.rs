//! Redis for one test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::authority::Certificate;
use crate::rabbitmq::free_ports;
use crate::sentinels::ask;
use crate::{eventually, unique_name, variable};

/// The server's address.
#[must_use]
pub fn url() -> String {
    variable("TEST_REDIS_URL", "redis://127.0.0.1:16379")
}

/// A prefix that no other test has.
#[must_use]
pub fn prefix() -> String {
    format!("{}:", unique_name())
}

/// Makes a user of the server that may do everything with what begins with its own name; its password is asked for.
///
/// # Panics
/// When there is no server, or it refuses.
pub async fn user(password: &str) -> String {
    let user = unique_name();
    let words = ["ACL", "SETUSER", &user, "on", &format!(">{password}"), &format!("~{user}:*"), "+@all"];
    let words: String = words.map(|word| format!("${}\r\n{word}\r\n", word.len())).concat();
    let url = url::Url::parse(&url()).expect("TEST_REDIS_URL is an address");
    let (host, port) = (url.host_str().expect("a host"), url.port().expect("a port"));
    let mut stream = TcpStream::connect((host, port))
        .await
        .unwrap_or_else(|error| panic!("no Redis for tests, `local/stores start` starts one: {error}"));
    stream.write_all(format!("*7\r\n{words}").as_bytes()).await.expect("ask redis");
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.expect("redis answers");
    assert_eq!(&answer, b"+OK\r\n", "redis makes a user");
    user
}

/// A server of a test's own, durable as a stack's is, which can be killed and started again. Ended when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    directory: PathBuf,
    /// As `maxmemory` takes it; `0` is no bound.
    memory: &'static str,
    encryption: Option<Encryption>,
    process: Option<Child>,
}

/// What makes a server, or a sentinel, speak TLS and nothing else. Its files go with the last of its clones.
#[derive(Debug, Clone)]
pub(crate) struct Encryption {
    files: Arc<Files>,
    ca_file: PathBuf,
}

#[derive(Debug)]
struct Files {
    directory: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Encryption {
    pub(crate) fn new(certificate: &Certificate, ca_file: &Path) -> Self {
        let directory = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&directory).expect("make a directory");
        let [certificate, key] = certificate.write_to(&directory);
        Self { files: Arc::new(Files { directory, certificate, key }), ca_file: ca_file.to_owned() }
    }

    pub(crate) fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// As its configuration has them.
    pub(crate) fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("tls-cert-file", self.files.certificate.display().to_string()),
            ("tls-key-file", self.files.key.display().to_string()),
            ("tls-ca-cert-file", self.ca_file.display().to_string()),
            ("tls-auth-clients", "no".to_owned()),
            ("tls-replication", "yes".to_owned()),
        ]
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// What a server had on its disk at a moment.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Server {
    /// An empty one.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not answer.
    pub async fn start() -> Self {
        Self::with_memory("0").await
    }

    /// One that takes nothing more once it holds this much, as a stack's does: `8mb`.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not answer.
    pub async fn with_memory(memory: &'static str) -> Self {
        Self::start_with(memory, None).await
    }

    /// One that may speak TLS alone.
    pub(crate) async fn with_encryption(encryption: Option<Encryption>) -> Self {
        Self::start_with("0", encryption).await
    }

    async fn start_with(memory: &'static str, encryption: Option<Encryption>) -> Self {
        let directory = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&directory).expect("make a directory");
        let [port] = free_ports();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut server = Self { address, directory, memory, encryption, process: None };
        server.start_again().await;
        server
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it has what `leader` has, and takes no writes; its connections stay.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn follow(&self, leader: &Self) {
        let (host, port) = (leader.address.ip().to_string(), leader.address.port().to_string());
        let answer = ask(self.address, self.encryption.as_ref(), &["REPLICAOF", &host, &port]).await;
        assert_eq!(answer, Some(vec!["OK".to_owned()]), "redis follows another");
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Kills it, as a node that fails does.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("kill redis");
            process.wait().expect("redis ends");
        }
    }

    /// Starts it on what is on its disk, and waits until it answers.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not answer.
    pub async fn start_again(&mut self) {
        let port = self.address.port().to_string();
        let mut command = Command::new("redis-server");
        if let Some(encryption) = &self.encryption {
            command.args(["--port", "0", "--tls-port", &port]);
            command.args(encryption.settings().into_iter().flat_map(|(key, value)| [format!("--{key}"), value]));
        } else {
            command.args(["--port", &port]);
        }
        let process = command
            .args(["--bind", "127.0.0.1"])
            .args(["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""])
            .args(["--maxmemory", self.memory, "--maxmemory-policy", "noeviction"])
            .arg("--dir")
            .arg(&self.directory)
            .stdout(Stdio::null())
            .spawn();
        self.process =
            Some(process.unwrap_or_else(|error| panic!("no redis-server, `local/stores start` installs it: {error}")));
        eventually("redis answers", || async { self.answers().await.then_some(()) }).await;
    }

    /// Keeps what is on its disk now.
    ///
    /// # Panics
    /// When the files cannot be copied.
    #[must_use]
    pub fn disk(&self) -> Disk {
        let copy = self.directory.with_extension(unique_name());
        copy_all(&self.directory, &copy);
        Disk(copy)
    }

    /// Puts back what was on its disk then, as if it had not been written since. For one that was killed.
    ///
    /// # Panics
    /// When the files cannot be copied.
    pub fn put_back(&self, Disk(copy): &Disk) {
        std::fs::remove_dir_all(&self.directory).expect("empty the directory");
        copy_all(copy, &self.directory);
    }

    async fn answers(&self) -> bool {
        ask(self.address, self.encryption.as_ref(), &["PING"]).await.is_some_and(|answer| answer == ["PONG"])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("make a directory");
    for entry in std::fs::read_dir(from).expect("read a directory") {
        let path = entry.expect("read a directory").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copy a file");
        }
    }
}
