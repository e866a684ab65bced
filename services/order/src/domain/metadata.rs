//! What is written on an order by those who handle it elsewhere.

use std::collections::BTreeMap;

use ecommerce_types::{Invalid, is_printable, one_line};
use serde::{Deserialize, Serialize};

/// Up to 20 texts of at most 500 characters, each by a name of 1 to 100. Of no meaning to the shop; its owner and staff see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
#[schema(value_type = BTreeMap<String, String>, example = json!({ "gift": "yes", "note": "Ring twice." }))]
pub(crate) struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// What was written by whichever version, as it is.
    #[must_use]
    pub(crate) fn stored(texts: BTreeMap<String, String>) -> Self {
        Self(texts)
    }
}

impl TryFrom<BTreeMap<String, String>> for Metadata {
    type Error = Invalid;

    fn try_from(texts: BTreeMap<String, String>) -> Result<Self, Invalid> {
        let is_name = |name: &str| one_line(name, 100).is_some_and(|line| line == name);
        let is_text = |text: &str| text.chars().count() <= 500 && text.lines().all(is_printable);
        if texts.len() <= 20 && texts.iter().all(|(name, text)| is_name(name) && is_text(text)) {
            Ok(Self(texts))
        } else {
            Err(Invalid("metadata is up to 20 texts of at most 500 characters, each by a name of 1 to 100"))
        }
    }
}

impl From<Metadata> for BTreeMap<String, String> {
    fn from(metadata: Metadata) -> Self {
        metadata.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn it_is_twenty_texts_of_five_hundred_characters() {
        let read = |json: Value| serde_json::from_value::<Metadata>(json).is_ok();
        let many = |count: usize| (0..count).map(|n| (n.to_string(), json!("x"))).collect::<Value>();
        assert!(read(json!({ "note": "Ring twice.\nThen wait.", "leer": "" })));
        assert!(read(many(20)) && !read(many(21)));
        assert!(read(json!({ "note": "ü".repeat(500) })) && !read(json!({ "note": "ü".repeat(501) })));
        for wrong in [
            json!({ "": "x" }),
            json!({ " a": "x" }),
            json!({ "a\n": "x" }),
            json!({ "a": 1 }),
            json!({ "a": null }),
            json!({ "a": "\u{0}" }),
        ] {
            assert!(!read(wrong.clone()), "{wrong}");
        }
    }
}
