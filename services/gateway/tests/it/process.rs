//! The gateway as a process of its own, whose memory, threads and output a test can look at.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, Stdio};

use ecommerce_contract::Service;
use ecommerce_testing::{Keys, eventually};
use tokio::net::TcpStream;

use crate::shop::signer;
use crate::upstream::Upstream;

/// The real binary; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    operations_address: SocketAddr,
}

impl Process {
    /// One with these settings beside the usual ones, whose log nobody reads.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let (process, _) = Self::start_with(settings, Stdio::null()).await;
        process
    }

    /// One whose log goes where it is told.
    pub(crate) async fn start_with(settings: &[(&str, &str)], log: Stdio) -> (Self, Option<ChildStdout>) {
        let keys = Keys::create();
        let key = keys.of(Service::Gateway);
        let auth = Upstream::start(Service::Auth, key.clone()).await;
        *auth.seen.jwks.lock().unwrap() = Some(signer(7).jwks());
        let product = Upstream::start(Service::Product, key).await;
        let (address, operations_address) = (free_address(), free_address());
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        command
            .env("HTTP_ADDRESS", address.to_string())
            .env("OPERATIONS_ADDRESS", operations_address.to_string())
            .env("TOKEN_ISSUER", "https://shop.default")
            .env("TOKEN_AUDIENCE", "shop.default")
            .env("REDIS_URL", ecommerce_testing::redis::url())
            .env("REDIS_PREFIX", ecommerce_testing::redis::prefix())
            .env("AUTH_URL", &auth.url)
            .env("PRODUCT_URL", &product.url)
            .env("ORDER_URL", &product.url)
            .env("PAYMENT_URL", &product.url)
            .env("EDGE_KEYS_DIRECTORY", keys.sent_by(Service::Gateway).edge_keys_directory)
            .envs(settings.iter().copied())
            .stdout(log);
        let mut child = command.spawn().unwrap();
        let output = child.stdout.take();
        let process = Self { child, address, operations_address };
        eventually("the gateway listens", || async { TcpStream::connect(address).await.ok() }).await;
        (process, output)
    }

    /// The memory that it holds, in KiB.
    pub(crate) fn resident(&self) -> i64 {
        self.status("VmRSS:")
    }

    /// A number of `/proc/<pid>/status`.
    pub(crate) fn status(&self, name: &str) -> i64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    pub(crate) async fn metrics(&self) -> String {
        reqwest::get(format!("http://{}/metrics", self.operations_address)).await.unwrap().text().await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that was free a moment ago, and is not given out again so soon.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
