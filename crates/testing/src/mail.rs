//! A mail server for one test: aiosmtpd, which takes mail and tells of it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use serde_json::Value;

use crate::{Authority, eventually, unique_name, variable};

/// The Python that `local/stores start` has put aiosmtpd into.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.local/checkers/bin/python");
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail_server.py");

/// A server that runs, at `localhost`; ended when it is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    lines: Receiver<String>,
    authority: Authority,
    directory: PathBuf,
    /// Where it listens.
    pub port: u16,
}

impl Server {
    /// One whose connections are encrypted in this way (`starttls`, `implicit`, `none`), and that behaves as these arguments
    /// of `mail_server.py` say.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(encryption: &str, arguments: &[&str]) -> Self {
        let directory = std::env::temp_dir().join(unique_name());
        std::fs::create_dir(&directory).expect("make a directory");
        let authority = Authority::create();
        let [certificate, key] = authority.certificate("localhost").write_to(&directory);
        let mut process = Command::new(variable("TEST_PYTHON", PYTHON))
            .arg(PROGRAM)
            .args(["--tls", encryption])
            .arg("--certificate")
            .arg(certificate)
            .arg("--key")
            .arg(key)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("no mail server for tests, `local/stores start` installs it: {error}"));
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let mut port = String::new();
        output.read_line(&mut port).expect("its port");
        let port = port.trim().parse().expect("no aiosmtpd for tests, `local/stores start` installs it");
        // On a thread: whoever waits for a mail must not keep the service from sending it.
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
        Self { process, lines, authority, directory, port }
    }

    /// The file with the certificate of the authority that vouches for it.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.authority.file()
    }

    /// The next mail that it has taken; waits for it.
    ///
    /// # Panics
    /// When none comes.
    pub async fn taken(&mut self) -> Value {
        let line = eventually("a mail comes", || std::future::ready(self.lines.try_recv().ok())).await;
        serde_json::from_str(&line).expect("a mail")
    }

    /// Everything that it has taken and nobody has asked for, once it has ended.
    ///
    /// # Panics
    /// When it cannot be ended.
    #[must_use]
    pub fn rest(mut self) -> String {
        self.process.kill().expect("end the server");
        self.lines.iter().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
