//! Passwords: what may be one, and how it is kept.
//!
//! The rules are those of NIST SP 800-63B-4, section 3.1.1.2: a length and a list, nothing about kinds of characters, no
//! character is refused and none is cut off. The length is at least 8, which a shop's customers put up with, and not the 15 that
//! it asks of a password that stands alone; 128 at most, so that a hash costs what it should. Letters with marks are composed
//! before they are counted, compared and hashed (docs/adr/0011-passwords-are-compared-composed.md).

use std::sync::LazyLock;

use ecommerce_types::Invalid;
use icu_normalizer::ComposingNormalizer;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::argon2id::{self, Cost, Memory};

/// The passwords that are tried first, in lower case and sorted; `local/common-passwords` makes the file.
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// The fewest characters of a password.
pub(super) const LEAST: usize = 8;

/// The most characters of a password.
const MOST: usize = 128;

/// A password that somebody chooses: 8 to 128 characters, none of the common ones, and 8 characters beside the words of the person's
/// name, their address and the shop.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, format = Password, min_length = 8, max_length = 128, example = "correct horse battery staple")]
pub(crate) struct Password(SecretString);

/// A password that somebody says is theirs. The rules may have changed since it was chosen, so they are not asked here.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, format = Password, example = "correct horse battery staple")]
pub(crate) struct PasswordAttempt(SecretString);

/// What is kept of a password: argon2id as a PHC string.
#[derive(Clone)]
pub(crate) struct PasswordHash(String);

/// A hash was not made, or one that is kept does not parse.
#[derive(Debug, thiserror::Error)]
#[error("failed to hash a password")]
pub struct HashError(#[from] argon2::password_hash::Error);

/// Whether this is among the first passwords that anyone would try; in lower case.
pub(super) fn is_common(lower: &str) -> bool {
    COMMON.binary_search(&lower).is_ok() || lower.chars().all(|letter| lower.starts_with(letter))
}

fn composed(text: &str) -> String {
    ComposingNormalizer::new_nfc().normalize(text).into_owned()
}

impl Password {
    /// The password in lower case, to compare it with words.
    pub(super) fn lower(&self) -> String {
        self.0.expose_secret().to_lowercase()
    }

    /// The hash under a new random salt. Takes tens of milliseconds and 19 MiB.
    pub(crate) fn hash(&self, memory: &mut Memory) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash(argon2id::hash(self.0.expose_secret().as_bytes(), Cost::TODAY, memory)?))
    }
}

impl PasswordAttempt {
    /// Whether this is the password. Takes as long as [`Password::hash`], whatever the answer.
    pub(crate) fn fits(&self, hash: &PasswordHash, memory: &mut Memory) -> Result<bool, HashError> {
        Ok(argon2id::fits(self.0.expose_secret().as_bytes(), &hash.0, memory)?)
    }

    /// The hash of an attempt that fits, for when its old hash no longer costs what a hash should.
    pub(crate) fn hash(&self, memory: &mut Memory) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash(argon2id::hash(self.0.expose_secret().as_bytes(), Cost::TODAY, memory)?))
    }
}

impl PasswordHash {
    /// A hash like any other of this cost, to take the time of a comparison where there is nothing to compare with.
    pub(crate) fn of_nobody(cost: Cost, memory: &mut Memory) -> Result<Self, HashError> {
        Ok(Self(argon2id::hash(b"nobody", cost, memory)?))
    }

    /// What it has cost.
    pub(crate) fn cost(&self) -> Result<Cost, HashError> {
        Ok(argon2id::cost(&self.0)?)
    }

    /// The PHC string.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PasswordHash {
    fn from(phc: String) -> Self {
        Self(phc)
    }
}

impl TryFrom<String> for Password {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = composed(&text);
        if !(LEAST..=MOST).contains(&text.chars().count()) {
            return Err(Invalid("a password has 8 to 128 characters"));
        }
        if is_common(&text.to_lowercase()) {
            return Err(Invalid("this password is among the first that anyone would try; choose another"));
        }
        Ok(Self(text.into()))
    }
}

impl From<String> for PasswordAttempt {
    fn from(text: String) -> Self {
        Self(composed(&text).into())
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Result<Password, Invalid> {
        text.to_owned().try_into()
    }

    #[test]
    fn any_characters_make_a_password_if_there_are_enough() {
        for right in ["a b c d ", "пароль длинный", "🐎🔋📎✅🐎🔋📎✅", &"xy".repeat(64)] {
            assert!(password(right).is_ok(), "{right}");
        }
        for wrong in ["", "1234567", "🐎🔋📎✅", &"xy".repeat(65)] {
            assert!(password(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_anyone_would_try_first_is_refused() {
        for wrong in [
            "password",
            "Password1",
            "QWERTYUIOP",
            "12345678",
            "aaaaaaaaaaaa",
            "ÄÄÄÄÄÄÄÄ",
            "greyhoun",
            "redneck1",
            "Jennifer",
            "november",
            "welcome123",
        ] {
            assert!(password(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_list_has_the_first_three_thousand_that_are_long_enough_each_where_it_is_looked_for() {
        assert!(COMMON.len() >= 3_000 && COMMON.is_sorted());
        for listed in COMMON.iter() {
            assert!(listed.len() >= 8 && listed.is_ascii() && *listed == listed.to_lowercase(), "{listed}");
            assert!(password(listed).is_err(), "{listed}");
        }
    }

    #[test]
    fn one_word_on_two_keyboards_is_one_password() {
        let (composed, decomposed) = (" P\u{e4}ssw\u{f6}rd gr\u{f6}ße x ", " Pa\u{308}sswo\u{308}rd gro\u{308}ße x ");
        let hash = password(composed).unwrap().hash(&mut Memory::default()).unwrap();
        assert!(PasswordAttempt::from(decomposed.to_owned()).fits(&hash, &mut Memory::default()).unwrap());
        assert!(!PasswordAttempt::from(composed.trim().to_owned()).fits(&hash, &mut Memory::default()).unwrap());
        assert!(!PasswordAttempt::from(composed.to_lowercase()).fits(&hash, &mut Memory::default()).unwrap());
        let hash = password(decomposed).unwrap().hash(&mut Memory::default()).unwrap();
        assert!(PasswordAttempt::from(composed.to_owned()).fits(&hash, &mut Memory::default()).unwrap());
        // Composed, these are four characters, on whichever keyboard.
        assert!(password("a\u{308}o\u{308}u\u{308}e\u{301}").is_err());
    }

    #[test]
    fn a_hash_fits_its_password_alone_and_names_its_cost() {
        let hash = password("correct horse").unwrap().hash(&mut Memory::default()).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(PasswordAttempt::from("correct horse".to_owned()).fits(&hash, &mut Memory::default()).unwrap());
        assert!(!PasswordAttempt::from("correct hors".to_owned()).fits(&hash, &mut Memory::default()).unwrap());
        assert!(
            PasswordAttempt::from("correct horse".to_owned())
                .fits(&"no hash".to_owned().into(), &mut Memory::default())
                .is_err()
        );
        assert_ne!(hash.as_str(), password("correct horse").unwrap().hash(&mut Memory::default()).unwrap().as_str());
    }

    #[test]
    fn neither_a_password_nor_its_hash_reaches_a_log() {
        let password = password("correct horse").unwrap();
        let shown = format!(
            "{password:?} {:?} {:?}",
            password.hash(&mut Memory::default()).unwrap(),
            PasswordAttempt::from("correct horse".to_owned())
        );
        assert!(!shown.contains("horse") && !shown.contains("argon2"), "{shown}");
    }
}
