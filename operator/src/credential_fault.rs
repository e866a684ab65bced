//! What is wrong with a secret that a person has put into a Secret of the stack: why the one that reads it could not take it.
//!
//! A sentence here goes on after "…, which". None shows what it is about.

use ecommerce_http::edge_key::SHORTEST_KEY;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;

use crate::credentials::{Credentials, Kind, SIGNING_KEY, Wanted};

/// Bytes of the longest password that goes everywhere: into a container's environment and over every server's wire.
const LONGEST: usize = 1024;
/// Lines that `refresh-keys` has at most (`services/auth/src/domain/refresh_token.rs`).
const MOST_REFRESH_KEYS: usize = 4;
/// The keys that a person may put beside the one that signs; auth reads them like it.
const KEYS_BESIDE: [&str; 2] = ["next.pem", "previous.pem"];

const NO_TEXT: &str = "is not UTF-8 text";
const NUL: &str = "has a NUL in it, which no process can be told";
const TOO_LONG: &str = "is longer than 1,024 bytes";
const NO_SASL: &str =
    "has a line break in it, or another character that no PostgreSQL password has (SASLprep, RFC 4013)";
const NOT_TYPED: &str = "has a line break or another control character in it, which nobody types";
const NO_KEY: &str = "is no key: 32 to 1,024 visible ASCII characters, without a blank or a line break";
const NO_KEYS: &str = "has no keys: one to four lines of 32 to 1,024 visible ASCII characters each";
const NO_SIGNING_KEY: &str = "is no Ed25519 private key in PKCS#8 PEM";

/// The keys of a Secret that hold what nothing takes, each with why. What is absent is not wrong.
#[must_use]
pub fn faults(credentials: &Credentials, wanted: &Wanted) -> Vec<(String, &'static str)> {
    let secret = &wanted.name;
    let signs = wanted.keys.iter().any(|(key, _)| key == SIGNING_KEY);
    let beside = KEYS_BESIDE.iter().filter(|_| signs).map(|key| ((*key).to_owned(), Kind::SigningKey));
    let keys = wanted.keys.iter().cloned().chain(beside);
    keys.filter_map(|(key, kind)| {
        let text = credentials.get(secret, &key);
        let fault = match text {
            "" => None,
            _ if !credentials.is_text(secret, &key) => Some(NO_TEXT),
            text => fault(kind, text),
        };
        fault.map(|fault| (key, fault))
    })
    .collect()
}

fn fault(kind: Kind, text: &str) -> Option<&'static str> {
    let password = || {
        let too_long = (text.len() > LONGEST).then_some(TOO_LONG);
        text.contains('\0').then_some(NUL).or(too_long)
    };
    match kind {
        Kind::Password | Kind::Salt => password(),
        Kind::DatabasePassword | Kind::Superuser => {
            password().or_else(|| stringprep::saslprep(text).is_err().then_some(NO_SASL))
        }
        Kind::AdminPassword => password().or_else(|| text.contains(char::is_control).then_some(NOT_TYPED)),
        Kind::ApiKey => (!is_key(text)).then_some(NO_KEY),
        Kind::RefreshKeys => {
            let keys: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            let are_keys = (1..=MOST_REFRESH_KEYS).contains(&keys.len()) && keys.into_iter().all(is_key);
            (!are_keys).then_some(NO_KEYS)
        }
        Kind::SigningKey => SigningKey::from_pkcs8_pem(text).is_err().then_some(NO_SIGNING_KEY),
    }
}

fn is_key(text: &str) -> bool {
    (SHORTEST_KEY..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;
    use crate::crd::EcommerceStackSpec;
    use crate::credentials::{generate, wanted};
    use crate::names::Names;

    #[test]
    fn what_nothing_takes_is_named() {
        let key = "k".repeat(32);
        for (kind, wrong, why) in [
            (Kind::Password, "\0".to_owned(), NUL),
            (Kind::Password, "p".repeat(1025), TOO_LONG),
            (Kind::Password, "é".repeat(513), TOO_LONG),
            (Kind::DatabasePassword, "\0".to_owned(), NUL),
            (Kind::DatabasePassword, "p".repeat(1025), TOO_LONG),
            (Kind::DatabasePassword, "secret\n".to_owned(), NO_SASL),
            // Unicode 3.2 did not know it, and SASLprep knows no other.
            (Kind::DatabasePassword, "\u{1f40e}".to_owned(), NO_SASL),
            (Kind::AdminPassword, "\0".to_owned(), NUL),
            (Kind::AdminPassword, "secret\n".to_owned(), NOT_TYPED),
            (Kind::ApiKey, "k".repeat(31), NO_KEY),
            (Kind::ApiKey, format!("{key}\n"), NO_KEY),
            (Kind::ApiKey, format!("{key} {key}"), NO_KEY),
            (Kind::ApiKey, format!("{key}é"), NO_KEY),
            (Kind::ApiKey, "k".repeat(1025), NO_KEY),
            (Kind::RefreshKeys, "\n\n".to_owned(), NO_KEYS),
            (Kind::RefreshKeys, format!("{key}\nshort"), NO_KEYS),
            (Kind::RefreshKeys, format!("{key}\n").repeat(5), NO_KEYS),
            (Kind::SigningKey, "present".to_owned(), NO_SIGNING_KEY),
            (
                Kind::SigningKey,
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(),
                NO_SIGNING_KEY,
            ),
        ] {
            assert_eq!(fault(kind, &wrong), Some(why), "{kind:?} {wrong:?}");
        }
    }

    #[test]
    fn what_is_odd_and_works_is_taken() {
        let key = "k".repeat(32);
        let password = " p@ss/w%41:rd #é$(X)\"' ";
        for (kind, right) in [
            (Kind::Password, format!("{password}\n")),
            (Kind::Password, "p".repeat(1024)),
            (Kind::Password, "\u{1f40e}".to_owned()),
            (Kind::DatabasePassword, password.to_owned()),
            (Kind::AdminPassword, format!("{password}\u{1f40e}")),
            (Kind::ApiKey, format!("{key}!\"#$%&'()*+,-./:;<=>?@[\\]^_`{{|}}~")),
            (Kind::RefreshKeys, format!("{key}\r\n\n {key} \n")),
        ] {
            assert_eq!(fault(kind, &right), None, "{kind:?} {right:?}");
        }
    }

    #[test]
    fn what_is_made_here_and_what_is_absent_have_no_fault() {
        let (mut credentials, mut random) = (Credentials::default(), StdRng::seed_from_u64(1));
        let all = wanted(&Names::new("default", "shop"), &EcommerceStackSpec::default());
        assert!(all.iter().all(|wanted| faults(&credentials, wanted).is_empty()));
        for wanted in &all {
            for (key, kind) in &wanted.keys {
                credentials.insert(&wanted.name, key, generate(*kind, &mut random));
            }
            assert_eq!(faults(&credentials, wanted), []);
        }
    }

    #[test]
    fn a_key_beside_the_one_that_signs_is_looked_at_as_well() {
        let names = Names::new("default", "shop");
        let wanted = wanted(&names, &EcommerceStackSpec::default())
            .into_iter()
            .find(|wanted| wanted.name == names.signing_key())
            .unwrap();
        let mut credentials = Credentials::default();
        credentials.insert(&wanted.name, "previous.pem", "previous".to_owned());
        credentials.insert(&wanted.name, "a-persons-own", "anything".to_owned());
        assert_eq!(faults(&credentials, &wanted), [("previous.pem".to_owned(), NO_SIGNING_KEY)]);
    }

    #[test]
    fn bytes_that_are_no_text_are_told_from_the_text_that_stands_for_them() {
        let names = Names::new("default", "shop");
        let wanted = wanted(&names, &EcommerceStackSpec::default())
            .into_iter()
            .find(|wanted| wanted.name == "shop-redis")
            .unwrap();
        let mut credentials = Credentials::default();
        credentials.read("shop-redis", "auth", b"p\xe9");
        credentials.read("shop-redis", "product", "p\u{fffd}".as_bytes());
        assert_eq!(faults(&credentials, &wanted), [("auth".to_owned(), NO_TEXT)]);
        credentials.read("shop-redis", "auth", b"p");
        assert_eq!(faults(&credentials, &wanted), []);
    }
}
