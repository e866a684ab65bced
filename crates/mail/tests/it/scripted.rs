//! A server that answers as a test says, and tells what it has heard: what aiosmtpd is too well-behaved for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use ecommerce_mail::{Mailer, Settings, Tls};
use ecommerce_types::Clock;

/// What is answered to a line; nothing, ever again, where it is `None`.
type Script = fn(&str) -> Option<&'static str>;

/// Takes one connection, without encryption.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    lines: Receiver<String>,
}

impl Scripted {
    pub(crate) fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (said, lines) = channel();
        thread::spawn(move || talk(listener.accept().unwrap().0, script, &said));
        Self { port, lines }
    }

    pub(crate) fn mailer(&self) -> Mailer {
        let settings = Settings {
            smtp_host: Some("localhost".to_owned()),
            smtp_port: Some(self.port),
            smtp_tls: Tls::None,
            mail_from: Some("shop@shop.example".parse().unwrap()),
            ..Settings::default()
        };
        Mailer::new(&settings, Clock::system()).unwrap().unwrap()
    }

    /// Every line that it was told, once the connection has ended.
    pub(crate) fn heard(self) -> Vec<String> {
        self.lines.iter().collect()
    }
}

fn talk(mut stream: TcpStream, script: Script, said: &Sender<String>) {
    let _ = stream.write_all(b"220 scripted.test\r\n");
    let (mut is_text, mut is_silent) = (false, false);
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let Ok(line) = line else { return };
        let _ = said.send(line.clone());
        if is_silent || (is_text && line != ".") {
            continue;
        }
        is_text = line == "DATA";
        match script(&line) {
            Some(answer) => drop(stream.write_all(format!("{answer}\r\n").as_bytes())),
            None => is_silent = true,
        }
    }
}
