//! What a person is called.

use ecommerce_types::{Invalid, one_line};
use serde::{Deserialize, Serialize};

/// 1 to 100 visible characters on one line; spaces around it are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100, example = "Ada Lovelace")]
pub(crate) struct PersonName(String);

impl PersonName {
    /// The text.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PersonName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match one_line(&text, 100) {
            Some(text) => Ok(Self(text)),
            None => Err(Invalid("a name is 1 to 100 characters on one line, all of them visible")),
        }
    }
}

impl From<PersonName> for String {
    fn from(name: PersonName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_whatever_people_are_called_and_not_empty() {
        for name in ["Ada", "Jean-Luc d'Été", "李小龍", "علی\u{200c}رضا", " Ada "] {
            assert_eq!(PersonName::try_from(name.to_owned()).unwrap().as_str(), name.trim());
        }
        for wrong in ["", "  ", "a\nb", "a\u{1b}[2Jb", "Ada\u{202e}", "A\u{200b}da", "\u{3164}", &"x".repeat(101)] {
            assert!(PersonName::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }
}
