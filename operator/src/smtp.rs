//! What a person's Secret says of the mail server.

use crate::credentials::Credentials;

/// The keys of the Secret, and the variables of auth that they become.
const KEYS: [(&str, &str); 5] = [
    ("host", "SMTP_HOST"),
    ("port", "SMTP_PORT"),
    ("username", "SMTP_USERNAME"),
    ("password", "SMTP_PASSWORD"),
    ("tls", "SMTP_TLS"),
];

const ENCRYPTIONS: [&str; 3] = ["starttls", "implicit", "none"];

/// Why auth cannot start with what a Secret says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not there, or names no server.
    NoHost,
    /// Another, with what would be right.
    Value(String),
}

/// The first thing that is wrong with it. A key whose value is empty is as if it were not there.
#[must_use]
pub fn fault(credentials: &Credentials, secret: &str) -> Option<Fault> {
    let [host, port, username, password, tls] = KEYS.map(|(key, _)| credentials.get(secret, key));
    if host.is_empty() {
        return Some(Fault::NoHost);
    }
    if let Some((key, _)) = KEYS.iter().find(|(key, _)| !credentials.is_text(secret, key)) {
        return Some(Fault::Value(format!("has a {key} that is not UTF-8 text")));
    }
    // A file that an editor has written ends with a line break; `--from-file` takes it along.
    let is_blank = |value: &str| value.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    let mut words = [("host", host), ("port", port), ("username", username), ("tls", tls)].into_iter();
    if let Some((key, _)) = words.find(|(_, value)| is_blank(value)) {
        return Some(unwanted("line break or a blank", key));
    }
    if password.chars().any(char::is_control) {
        return Some(unwanted("line break", "password"));
    }
    if !port.is_empty() && !port.parse().is_ok_and(|port: u16| port > 0) {
        return Some(Fault::Value("has a port that is no number from 1 to 65535".to_owned()));
    }
    if username.is_empty() != password.is_empty() {
        return Some(Fault::Value("has a username or a password without the other: give both, or neither".to_owned()));
    }
    if !tls.is_empty() && !ENCRYPTIONS.contains(&tls) {
        return Some(Fault::Value("has a tls that is none of starttls, implicit and none".to_owned()));
    }
    None
}

fn unwanted(what: &str, key: &str) -> Fault {
    Fault::Value(format!("has a {what} in its {key}: create it with --from-literal, which adds none"))
}

/// The keys that say something, with their variables.
pub fn said(credentials: &Credentials, secret: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    KEYS.into_iter().filter(move |(key, _)| !credentials.get(secret, key).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &[(&str, &str)]) -> Option<Fault> {
        let mut credentials = Credentials::default();
        for (key, value) in said {
            credentials.insert("smtp", key, (*value).to_owned());
        }
        fault(&credentials, "smtp")
    }

    #[test]
    fn what_auth_would_not_start_with_is_named() {
        for (said, word) in [
            (("host", "smtp.example.com\n"), "line break or a blank in its host"),
            (("port", "587\n"), "in its port"),
            (("port", "0"), "no number from 1"),
            (("port", "65536"), "no number from 1"),
            (("port", "smtp"), "no number from 1"),
            (("username", "ada"), "give both"),
            (("password", "secret"), "give both"),
            (("password", "secret\n"), "line break in its password"),
            (("tls", "STARTTLS"), "none of starttls"),
            (("tls", "true"), "none of starttls"),
        ] {
            let Some(Fault::Value(fault)) = of(&[("host", "smtp.example.com"), said]) else { panic!("{said:?}") };
            assert!(fault.contains(word), "{said:?}: {fault}");
        }
        for nobody in [&[][..], &[("host", "")], &[("port", "587")]] {
            assert_eq!(of(nobody), Some(Fault::NoHost), "{nobody:?}");
        }
    }

    #[test]
    fn a_value_that_is_no_text_is_named() {
        let mut credentials = Credentials::default();
        credentials.read("smtp", "host", b"smtp.example.com");
        credentials.read("smtp", "password", b"\xff");
        let expected = Fault::Value("has a password that is not UTF-8 text".to_owned());
        assert_eq!(fault(&credentials, "smtp"), Some(expected));
    }

    #[test]
    fn an_empty_value_is_none() {
        let empty = [("host", "smtp.example.com"), ("port", ""), ("username", ""), ("password", ""), ("tls", "")];
        assert_eq!(of(&empty), None);
        let full = [("host", "::1"), ("port", "25"), ("username", "ada"), ("password", "two words"), ("tls", "none")];
        assert_eq!(of(&full), None);
    }
}
