//! Stock-keeping units.

use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizer;
use serde::{Deserialize, Serialize};

use crate::{Invalid, one_line};

/// A shop's own name for a product, as it stands on its label: 1 to 64 visible characters, with spaces between but not around
/// them; unique among what the shop sells.
///
/// Letters with marks are kept composed (Unicode's form NFC), so that one label is one text whatever machine wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64, example = "MUG-BLUE-03")]
pub struct Sku(String);

impl Sku {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sku {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = ComposingNormalizer::new_nfc().normalize(&text).into_owned();
        if one_line(&text, 64).as_ref() == Some(&text) {
            Ok(Self(text))
        } else {
            Err(Invalid("a sku is 1 to 64 visible characters, without spaces before or after them"))
        }
    }
}

impl FromStr for Sku {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.to_owned().try_into()
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_whatever_stands_on_a_label() {
        for right in
            ["MUG-BLUE-03", "CAB.SAU.M.VIL.S&M.10", "Größe 4", "100% / 3×4 (neu)", "日本酒 720", &"ü".repeat(64)]
        {
            assert_eq!(right.parse::<Sku>().unwrap().as_str(), right);
        }
    }

    #[test]
    fn what_looks_like_another_sku_and_is_none_is_refused() {
        for wrong in ["", " ", " A", "A ", "A\u{a0}", "A\nB", "A\u{200b}B", "A\u{200d}", "A\u{202e}B", &"x".repeat(65)]
        {
            let refused = wrong.parse::<Sku>().unwrap_err();
            assert!(refused.to_string().contains("1 to 64"), "{wrong:?}: {refused}");
        }
    }

    #[test]
    fn one_label_is_one_sku_however_its_letters_were_put_together() {
        assert_eq!("Gro\u{308}ße 4".parse::<Sku>().unwrap(), "Gr\u{f6}ße 4".parse().unwrap());
    }
}
