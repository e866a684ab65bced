//! What this shop asks of a password beyond what every shop asks: that it is not made of the words a stranger would begin with.

use ecommerce_types::{Email, Invalid};
use icu_normalizer::ComposingNormalizer;

use super::password::{LEAST, is_common};
use super::{Password, PersonName};

/// Words that stand for any shop of this kind.
const ANY_SHOP: [&str; 4] = ["ecommercestack", "ecommerce", "shop", "admin"];

/// A shorter word is in too many others to say anything.
const LEAST_OF_A_WORD: usize = 3;

/// The rules of one shop.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    words: Vec<String>,
}

impl Policy {
    /// The rules of the shop whose tokens are for `audience`: its stack and its namespace, such as `shop.default`. So far that
    /// is the one name that it has.
    #[must_use]
    pub(crate) fn new(audience: &str) -> Self {
        Self { words: words(audience).chain(ANY_SHOP.map(str::to_owned)).collect() }
    }

    /// Refuses a password that is nothing much without the shop's words, the person's name and the parts of their address (OWASP
    /// ASVS 5, 6.2.11). They may stand in a password, and count for nothing: what is left has to be one by itself.
    pub(crate) fn check(&self, password: &Password, email: &Email, name: &PersonName) -> Result<(), Invalid> {
        let mut known = self.words.clone();
        known.extend(words_of_address(email.as_str()));
        known.extend(words(name.as_str()));
        // A word goes before those that are parts of it.
        known.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let left = known.iter().fold(password.lower(), |left, word| left.replace(word.as_str(), ""));
        if left.chars().count() >= LEAST && !is_common(&left) {
            return Ok(());
        }
        Err(Invalid(
            "a password needs 8 characters that are not your name, your e-mail address or the shop's name, and not what anyone would try first",
        ))
    }
}

/// The words of a text, as [`Password::lower`] has them.
fn words(text: &str) -> impl Iterator<Item = String> {
    let lower = ComposingNormalizer::new_nfc().normalize(text).to_lowercase();
    let words: Vec<String> = lower.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned).collect();
    words.into_iter().filter(|word| says_something(word))
}

/// The address as a whole, its two sides, and the words of these; not its last label, since `com` is in too many words.
fn words_of_address(address: &str) -> impl Iterator<Item = String> {
    let (local, domain) = address.split_once('@').unwrap_or((address, ""));
    let (name_of_domain, _) = domain.rsplit_once('.').unwrap_or((domain, ""));
    let whole = [address, domain, local].map(str::to_lowercase).into_iter().filter(|word| says_something(word));
    whole.chain(words(local)).chain(words(name_of_domain))
}

fn says_something(word: &str) -> bool {
    word.chars().count() >= LEAST_OF_A_WORD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), Invalid> {
        let policy = Policy::new("bookshop.north");
        let password = Password::try_from(password.to_owned()).unwrap();
        policy.check(
            &password,
            &"j.bronte@post.example.org".parse().unwrap(),
            &PersonName::try_from("Charlotte Bronte\u{308}".to_owned()).unwrap(),
        )
    }

    #[test]
    fn what_is_left_without_known_words_has_to_be_a_password() {
        for wrong in [
            "charlotte1",
            "CHARLOTTE-BRONTË",
            "bookshop2026",
            "north north",
            "j.bronte@post",
            "example.org",
            "Bront\u{eb}12345678",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        for right in ["a bookshop in the north", "charlotte met mr. nicholls", "orange juice", "j-k-l-m-"] {
            assert!(check(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn one_letter_before_the_at_is_in_every_password_and_counts() {
        let (email, name) = ("a@a.example".parse().unwrap(), PersonName::try_from("A".to_owned()).unwrap());
        let password = Password::try_from("bananas 4".to_owned()).unwrap();
        assert!(Policy::new("shop.default").check(&password, &email, &name).is_ok());
    }
}
