//! Refresh tokens: what a client gives for its next access token, once.
//!
//! A token names its session and its generation, and an HMAC says that we made it. So none is kept anywhere, and the successor
//! of one is the same however often it is asked for: who never got the answer asks again and gets it. (Rotation and what reuse
//! means: RFC 9700, section 4.14.)

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecommerce_types::SessionId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

/// Bytes that a key has at least.
const SHORTEST_KEY: usize = 32;
/// Keys that are tried for a token: the present one and those before it.
const MOST_KEYS: usize = 4;

const ID_BYTES: usize = 16;
const SAID_BYTES: usize = ID_BYTES + 4;
const TOKEN_BYTES: usize = SAID_BYTES + 32;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) session: SessionId,
    /// How many were given out before it in its session.
    pub(crate) generation: i32,
}

/// The keys with which tokens are made and known again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshKeys(Vec<String>);

/// A text holds no keys; it is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one to {MOST_KEYS} lines, each a key of at least {SHORTEST_KEY} visible ASCII characters")]
pub struct RefreshKeysError;

impl RefreshKeys {
    /// Reads keys, a line each: tokens are made with the first, and known again by all.
    pub(crate) fn parse(text: &str) -> Result<Self, RefreshKeysError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<String> = lines.map(str::to_owned).collect();
        let is_key = |key: &String| key.len() >= SHORTEST_KEY && key.bytes().all(|byte| byte.is_ascii_graphic());
        let well_formed = (1..=MOST_KEYS).contains(&keys.len()) && keys.iter().all(is_key);
        well_formed.then_some(Self(keys)).ok_or(RefreshKeysError)
    }

    /// The text of a token.
    pub(crate) fn text(&self, token: RefreshToken) -> String {
        let said = said(token);
        let mac = self.0.first().and_then(|key| mac(key, &said)).map(|mac| mac.finalize().into_bytes());
        let mac = mac.map(|bytes| bytes.to_vec()).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([said.as_slice(), mac.as_slice()].concat())
    }

    /// The token of a text; `None` where none of the keys has made it.
    pub(crate) fn read(&self, text: &str) -> Option<RefreshToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == TOKEN_BYTES)?;
        let (said, made) = bytes.split_at(SAID_BYTES);
        // Each key is asked in constant time, and which of them fits is no secret.
        self.0.iter().find(|key| mac(key, said).is_some_and(|mac| mac.verify_slice(made).is_ok()))?;
        let (id, generation) = said.split_at(ID_BYTES);
        Some(RefreshToken {
            session: SessionId(Uuid::from_slice(id).ok()?),
            generation: i32::from_be_bytes(generation.try_into().ok()?),
        })
    }
}

fn said(token: RefreshToken) -> [u8; SAID_BYTES] {
    let mut said = [0; SAID_BYTES];
    said[..ID_BYTES].copy_from_slice(token.session.0.as_bytes());
    said[ID_BYTES..].copy_from_slice(&token.generation.to_be_bytes());
    said
}

fn mac(key: &str, said: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(b"refresh token");
    mac.update(said);
    Some(mac)
}

impl std::fmt::Debug for RefreshKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("RefreshKeys").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "0123456789abcdef0123456789abcdef";
    const NEW: &str = "fedcba9876543210fedcba9876543210";

    fn token() -> RefreshToken {
        RefreshToken { session: SessionId(Uuid::from_u128(7)), generation: 3 }
    }

    #[test]
    fn a_token_reads_back_what_it_says_and_is_the_same_each_time() {
        let keys = RefreshKeys::parse(OLD).unwrap();
        let text = keys.text(token());
        assert_eq!(keys.read(&text), Some(token()));
        assert_eq!(keys.text(token()), text);
        assert_ne!(keys.text(RefreshToken { generation: 4, ..token() }), text);
    }

    #[test]
    fn a_new_key_makes_tokens_and_the_old_one_is_known_until_it_goes() {
        let before = RefreshKeys::parse(OLD).unwrap().text(token());
        let both = RefreshKeys::parse(&format!("{NEW}\n{OLD}\n")).unwrap();
        assert_eq!(both.read(&before), Some(token()));
        let after = both.text(token());
        assert_ne!(after, before);
        let new = RefreshKeys::parse(NEW).unwrap();
        assert_eq!((new.read(&after), new.read(&before)), (Some(token()), None));
    }

    #[test]
    fn no_bit_of_a_token_can_be_another() {
        let keys = RefreshKeys::parse(OLD).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(keys.text(token())).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys.read(&URL_SAFE_NO_PAD.encode(forged)), None, "bit {bit}");
        }
        for wrong in ["", "a.b.c", "é", &URL_SAFE_NO_PAD.encode(&bytes[1..]), &"A".repeat(100_000)] {
            assert_eq!(keys.read(wrong), None);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for wrong in ["", "\n\n", "short", &format!("{OLD}\nshort"), &format!("{OLD}\n").repeat(5), &"é".repeat(40)] {
            assert!(RefreshKeys::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", RefreshKeys::parse(OLD).unwrap()), "RefreshKeys(1)");
    }
}
