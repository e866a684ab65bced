//! What becomes of a mail.

use std::time::Duration;

use ecommerce_mail::{Error, Mail, Mailer, Settings, Tls};
use ecommerce_types::Clock;
use tokio::time::timeout;

use crate::scripted::Scripted;
use crate::server::Server;

/// Longer than a mail may take as a whole, and a moment.
const DEADLINE: Duration = Duration::from_secs(12);

const TEXT: &str = "Grüße, 李小龍\n.\n..two dots\nhttps://shop.example/reset?token=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123456789=&from=mail\n";

fn mail() -> Mail {
    Mail { to: "ada@example.com".parse().unwrap(), subject: "Ein neues Paßwort".to_owned(), text: TEXT.to_owned() }
}

/// The text of a mail as its reader sees it.
fn text(content: &str) -> String {
    let (head, body) = content.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    let head = head.to_lowercase();
    assert!(head.contains("content-type: text/plain; charset=utf-8"), "{head}");
    let bytes = if head.contains("quoted-printable") {
        quoted_printable(body)
    } else if head.contains("base64") {
        panic!("a text that nobody reads in its source: {body}")
    } else {
        body.as_bytes().to_vec()
    };
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

fn quoted_printable(body: &str) -> Vec<u8> {
    let body = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = body.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first == b'=' {
            let code = std::str::from_utf8(&others[..2]).unwrap();
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            rest = &others[2..];
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    bytes
}

async fn send(mailer: Mailer) -> Result<(), Error> {
    timeout(DEADLINE, mailer.send(&mail())).await.unwrap()
}

async fn fails(server: &Server) -> Error {
    let error = send(server.mailer()).await.unwrap_err();
    let said = format!("{error} {error:?}");
    for secret in ["ada", "example.com", "Paßwort", "token", "hunter2"] {
        assert!(!said.contains(secret), "{said}");
    }
    error
}

#[tokio::test]
async fn a_text_arrives_whole_however_the_connection_is_encrypted() {
    for tls in [Tls::Starttls, Tls::Implicit, Tls::None] {
        let mut server = Server::start(tls, &[]);
        server.mailer().send(&mail()).await.unwrap_or_else(|error| panic!("{tls:?}: {error:?}"));
        let taken = server.server.taken().await;
        assert_eq!((&taken["from"], &taken["to"][0]), (&"shop@shop.example".into(), &"ada@example.com".into()));
        assert_eq!(taken["encrypted"], tls != Tls::None);
        assert_eq!(text(taken["content"].as_str().unwrap()).trim_end(), TEXT.trim_end(), "{tls:?}");
    }
}

#[tokio::test]
async fn a_server_that_wants_a_login_gets_it_and_a_wrong_one_is_refused() {
    let mut server = Server::start(Tls::Starttls, &["--login", "shop:hunter2"]);
    server.settings.smtp_username = Some("shop".to_owned());
    server.settings.smtp_password = Some("hunter2".to_owned().into());
    server.mailer().send(&mail()).await.unwrap();
    assert_eq!(server.server.taken().await["login"], "shop");
    server.settings.smtp_password = Some("hunter3".to_owned().into());
    let error = fails(&server).await;
    assert!(!error.is_transient(), "{error:?}");
}

/// What is sent opens accounts: nobody on the way may read it.
#[tokio::test]
async fn a_server_without_starttls_gets_neither_login_nor_mail() {
    let mut server = Server::start(Tls::None, &["--login", "shop:hunter2"]);
    server.settings.smtp_tls = Tls::Starttls;
    server.settings.smtp_username = Some("shop".to_owned());
    server.settings.smtp_password = Some("hunter2".to_owned().into());
    assert!(!fails(&server).await.is_transient());
    assert_eq!(server.server.rest(), "");
    // The same by the lines of the wire: a login that brings no mail would not be seen there.
    let scripted = Scripted::start(|_| Some("250 ok"));
    let settings = Settings { smtp_port: Some(scripted.port), smtp_ca_file: None, ..server.settings };
    let error = Mailer::new(&settings, Clock::system()).unwrap().unwrap().send(&mail()).await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
    let heard = scripted.heard();
    assert!(heard.iter().all(|line| line.starts_with("EHLO ") || line == "QUIT"), "{heard:?}");
}

/// Else what has arrived would be sent again and again.
#[tokio::test]
async fn a_mail_that_was_taken_is_sent_however_the_server_parts() {
    let scripted = Scripted::start(|line| match line {
        "QUIT" => None,
        "DATA" => Some("354 go on"),
        _ => Some("250 ok"),
    });
    send(scripted.mailer()).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_one_however_the_server_parts() {
    let unknown = Scripted::start(|line| parts_silently(line, "550 unknown"));
    let error = send(unknown.mailer()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    let later = Scripted::start(|line| parts_silently(line, "451 later"));
    let error = send(later.mailer()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
}

/// Answers this to the recipient, and nothing to a goodbye.
fn parts_silently(line: &str, to_recipient: &'static str) -> Option<&'static str> {
    if line == "QUIT" {
        return None;
    }
    Some(if line.starts_with("RCPT ") { to_recipient } else { "250 ok" })
}

/// A shop's mails are such: they go as they are written, and a dot at a line's begin would end them.
#[tokio::test]
async fn a_plain_text_arrives_with_its_dots() {
    let plain = "One.\n.\n..two\n.three\nhttps://shop.example/reset?token=abc\n";
    let mut server = Server::start(Tls::None, &[]);
    server.mailer().send(&Mail { text: plain.to_owned(), ..mail() }).await.unwrap();
    let taken = server.server.taken().await;
    assert_eq!(text(taken["content"].as_str().unwrap()).trim_end(), plain.trim_end());
    assert_eq!(server.server.rest(), "");
}

#[test]
fn an_authority_without_a_certificate_ends_the_start() {
    let server = Server::start(Tls::Starttls, &[]);
    let path = server.server.authority().with_file_name("none.pem");
    std::fs::write(&path, "none\n").unwrap();
    let settings = Settings { smtp_ca_file: Some(path), ..server.settings };
    assert!(matches!(Mailer::new(&settings, Clock::system()), Err(Error::Authority(..))));
}

#[test]
fn a_mailer_prints_neither_its_sender_nor_its_login() {
    let mut server = Server::start(Tls::None, &[]);
    server.settings.smtp_username = Some("ada".to_owned());
    server.settings.smtp_password = Some("hunter2".to_owned().into());
    let printed = format!("{:?}", server.mailer());
    assert!(!["shop.example", "ada", "hunter2"].iter().any(|secret| printed.contains(secret)), "{printed}");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    for tls in [Tls::Starttls, Tls::Implicit] {
        let mut server = Server::start(tls, &[]);
        server.settings.smtp_ca_file = None;
        assert!(matches!(fails(&server).await, Error::Refused(_)), "{tls:?}");
        assert_eq!(server.server.rest(), "", "{tls:?}");
    }
}

#[tokio::test]
async fn a_recipient_whom_the_server_does_not_know_is_not_tried_again() {
    let server = Server::start(Tls::None, &["--refuse"]);
    assert!(!fails(&server).await.is_transient());
}

#[tokio::test]
async fn a_server_that_is_busy_silent_or_away_is_tried_again() {
    for behaviour in ["busy", "silent"] {
        let server = Server::start(Tls::None, &["--behave", behaviour]);
        let error = fails(&server).await;
        assert!(error.is_transient(), "{behaviour}: {error:?}");
    }
    let settings = Settings {
        smtp_host: Some("localhost".to_owned()),
        smtp_port: Some(1),
        smtp_tls: Tls::None,
        mail_from: Some("shop@shop.example".parse().unwrap()),
        ..Settings::default()
    };
    let mailer = Mailer::new(&settings, Clock::system()).unwrap().unwrap();
    assert!(mailer.send(&mail()).await.unwrap_err().is_transient());
}

#[test]
fn without_a_server_there_is_no_mailer_and_a_server_needs_a_sender() {
    assert!(Mailer::new(&Settings::default(), Clock::system()).unwrap().is_none());
    let settings = Settings { smtp_host: Some("localhost".to_owned()), ..Settings::default() };
    assert!(matches!(Mailer::new(&settings, Clock::system()), Err(Error::NoSender)));
}
