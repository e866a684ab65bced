//! RabbitMQ itself: the server that all tests share, and one of a test's own for what would be the others' trouble.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::{unique_name, variable, within};

/// How long a server may take to start, on a machine that does much else.
const START: Duration = Duration::from_secs(90);
/// Less is free on no disk.
const MORE_THAN_ANY_DISK: &str = "1000000GB";

/// Where a server is.
#[derive(Debug, Clone)]
pub struct Server {
    /// `amqp://user:password@host:port`
    pub amqp: String,
    /// The management's address, user and password in it.
    pub management: String,
}

impl Server {
    /// The one that all tests share.
    #[must_use]
    pub fn shared() -> Self {
        Self {
            amqp: variable("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:15673"),
            management: variable("TEST_RABBITMQ_MANAGEMENT_URL", "http://guest:guest@127.0.0.1:15674"),
        }
    }

    pub(crate) async fn manage(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.ask(method, path, body).await;
        let answer =
            answer.unwrap_or_else(|error| panic!("no RabbitMQ for tests, `local/stores start` starts one: {error}"));
        answer.json().await.unwrap_or(Value::Null)
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let mut request = reqwest::Client::new().request(method, format!("{}/api/{path}", self.management));
        request = request.header("content-type", "application/json");
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        request.send().await
    }
}

/// A server of a test's own, which may be told what would disturb others; it ends when this is dropped.
///
/// Its programs are the system's, or those in `TEST_RABBITMQ_PROGRAMS`.
#[derive(Debug)]
pub struct RabbitMq {
    /// Where it is.
    pub server: Server,
    /// Where nodes find each other; begun beside the server, since one that the server begins outlives it. Both are of its group.
    mapper: Child,
    process: Child,
    folder: PathBuf,
    node: String,
    mapper_port: u16,
}

impl RabbitMq {
    /// A new one.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// A new one that takes a message back when it is not acknowledged within `patience`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn impatient(patience: Duration) -> Self {
        let (patience, look) = (patience.as_millis(), patience.as_millis() / 4);
        Self::start_with(&format!("-rabbit consumer_timeout {patience} channel_tick_interval {look}")).await
    }

    async fn start_with(arguments: &str) -> Self {
        let folder = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&folder).expect("make a directory");
        let [amqp, management, mapper_port, distribution] = free_ports();
        let usual = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management}\n\
             log.console = true\nlog.console.level = warning\nlog.file = false\ndisk_free_limit.absolute = 50MB\n"
        );
        std::fs::write(folder.join("rabbitmq.conf"), usual).expect("write its configuration");
        std::fs::write(folder.join("plugins"), "[rabbitmq_management].").expect("write its plugins");
        let node = format!("{}@localhost", unique_name());
        let missing = |error| panic!("no RabbitMQ for tests, `local/stores start` installs it: {error}");
        let port = mapper_port.to_string();
        let mut mapper = Command::new("epmd");
        mapper.args(["-port", &port, "-address", "127.0.0.1"]).stdin(Stdio::null()).stderr(Stdio::null());
        let mapper = mapper.process_group(0).spawn().unwrap_or_else(missing);
        let group = i32::try_from(mapper.id()).expect("the id of a process");
        let mut command = of_node("rabbitmq-server", &folder, &node, mapper_port);
        command
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", "")
            .env("RABBITMQ_DIST_PORT", distribution.to_string())
            .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
            .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
            .env("RABBITMQ_LOG_BASE", &folder)
            // Idle schedulers would spin for work that does not come (+sbwt).
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                format!(
                    "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {{127,0,0,1}} {arguments}"
                ),
            );
        let log = std::fs::File::create(folder.join("log")).expect("make its log");
        let process = command.process_group(group).stdout(log).stderr(Stdio::null()).spawn().unwrap_or_else(missing);
        let server = Server {
            amqp: format!("amqp://guest:guest@127.0.0.1:{amqp}"),
            management: format!("http://guest:guest@127.0.0.1:{management}"),
        };
        let rabbitmq = Self { server, mapper, process, folder, node, mapper_port };
        within(START, "a RabbitMQ of the test's own starts", || async {
            let answer = rabbitmq.server.ask(Method::GET, "health/checks/local-alarms", None).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        rabbitmq
    }

    /// Has it find its disk full: it takes nothing more from whoever publishes.
    ///
    /// # Panics
    /// When it does not listen.
    pub async fn fill_disk(&self) {
        self.limit_disk(MORE_THAN_ANY_DISK).await;
    }

    /// Has it find that there is room again.
    ///
    /// # Panics
    /// When it does not listen.
    pub async fn empty_disk(&self) {
        self.limit_disk("50MB").await;
    }

    async fn limit_disk(&self, least_free: &'static str) {
        let mut command = of_node("rabbitmqctl", &self.folder, &self.node, self.mapper_port);
        let ended = spawn_blocking(move || command.args(["set_disk_free_limit", least_free]).output()).await;
        let ended = ended.expect("wait for rabbitmqctl").expect("run rabbitmqctl");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        // The server's script has children.
        let group = format!("-{}", self.mapper.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        let _ = self.process.wait();
        let _ = self.mapper.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One of RabbitMQ's programs, which knows this node; not the wrapper of the same name, which wants root and its own folders.
fn of_node(name: &str, folder: &Path, node: &str, mapper_port: u16) -> Command {
    let program = PathBuf::from(variable("TEST_RABBITMQ_PROGRAMS", "/usr/lib/rabbitmq/bin")).join(name);
    let mut command = if program.exists() { Command::new(program) } else { Command::new(name) };
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env("RABBITMQ_NODENAME", node)
        .env("ERL_EPMD_PORT", mapper_port.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .stdin(Stdio::null());
    command
}

/// Held together, so that none is given out twice.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let held = [(); COUNT].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    held.each_ref().map(|door| door.local_addr().expect("a bound address").port())
}
