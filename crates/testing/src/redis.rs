//! Redis for one test.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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
    process: Option<Child>,
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
        let directory = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&directory).expect("make a directory");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let mut server = Self { address, directory, memory, process: None };
        server.start_again().await;
        server
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
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()])
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
        let asked = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(b"PING\r\n").await?;
            let mut answer = [0; 7];
            stream.read_exact(&mut answer).await?;
            Ok::<_, std::io::Error>(&answer == b"+PONG\r\n")
        };
        asked.await.unwrap_or(false)
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
