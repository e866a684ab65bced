//! How the server of a test is reached.

use ecommerce_mail::{Mailer, Settings, Tls};
use ecommerce_testing::mail;
use ecommerce_types::Clock;

/// A server, and what somebody is told who sends through it.
pub(crate) struct Server {
    pub(crate) server: mail::Server,
    pub(crate) settings: Settings,
}

impl Server {
    /// One that is spoken to in this way and behaves as these arguments say.
    pub(crate) fn start(tls: Tls, arguments: &[&str]) -> Self {
        let encryption = match tls {
            Tls::Starttls => "starttls",
            Tls::Implicit => "implicit",
            Tls::None => "none",
        };
        let server = mail::Server::start(encryption, arguments);
        let settings = Settings {
            smtp_host: Some("localhost".to_owned()),
            smtp_port: Some(server.port),
            smtp_tls: tls,
            smtp_ca_file: Some(server.authority()),
            mail_from: Some("shop@shop.example".parse().unwrap()),
            ..Settings::default()
        };
        Self { server, settings }
    }

    pub(crate) fn mailer(&self) -> Mailer {
        Mailer::new(&self.settings, Clock::system()).unwrap().unwrap()
    }
}
