//! A mail server for one test: aiosmtpd, which takes mail and tells of it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

use crate::{eventually, unique_name, variable};

/// The Python that `local/stores start` has put aiosmtpd into.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.local/checkers/bin/python");
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail_server.py");

/// A server that runs, at `localhost`; ended when it is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    lines: Receiver<String>,
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
        make_certificates(&directory);
        let mut process = Command::new(variable("TEST_PYTHON", PYTHON))
            .arg(PROGRAM)
            .args(["--tls", encryption])
            .arg("--certificate")
            .arg(directory.join("own.pem"))
            .arg("--key")
            .arg(directory.join("own.key"))
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
        Self { process, lines, directory, port }
    }

    /// The file with the certificate of the authority that vouches for it.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.directory.join("authority.pem")
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

fn make_certificates(directory: &std::path::Path) {
    let mut authority = CertificateParams::new(Vec::new()).expect("an authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let own = CertificateParams::new(vec!["localhost".to_owned()]).and_then(|own| own.signed_by(&key, &authority));
    for (name, text) in [
        ("authority.pem", authority.pem()),
        ("own.pem", own.expect("a certificate").pem()),
        ("own.key", key.serialize_pem()),
    ] {
        std::fs::write(directory.join(name), text).expect("write a certificate");
    }
}
